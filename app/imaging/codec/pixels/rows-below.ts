import type { Image } from '../../image.ts';
import { isFrame } from '../jpeg-segments.ts';

/** A JPEG that says it is higher than it is. */
interface HigherJpeg {
  readonly bytes: Uint8Array;
  /** By how much: what the decoder makes of them is nothing. */
  readonly rows: number;
  /** Of those rows. */
  readonly pixels: number;
}

const SOS = 0xda;
const FILL = 0xff;
/** SOF0 and SOF1: coded row by row, from top to bottom. */
const SEQUENTIAL: ReadonlySet<number> = new Set([0xc0, 0xc1]);
/** Rows that libvips reads at once, which are those of a block. */
const READ_ROWS = 8;
/** What libjpeg holds of a side: JPEG_MAX_DIMENSION. */
const LONGEST_SIDE = 65_500;

/**
 * A copy of a JPEG with rows below its picture, so that what libjpeg complains of is seen: libvips looks for that before it reads the
 * next rows, so not after the last ones.
 * @param file one that has been walked
 * @returns undefined where libjpeg decodes more than libvips reads: all of a file of several scans before the first row, and of colours
 * that are halved downwards what lies below a row, of which its colours are made too
 */
export function withRowsBelow(file: Uint8Array): HigherJpeg | undefined {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  let frame: number | undefined;
  for (let at = 2; at + 4 <= bytes.length;) {
    const marker = bytes[at + 1] ?? 0;
    if (marker === SOS) return frame === undefined || !isScanOfAll(bytes, frame, at) ? undefined : higher(bytes, frame);
    if (isFrame(marker)) frame = SEQUENTIAL.has(marker) ? at : undefined;
    at += marker === FILL ? 1 : 2 + bytes.readUInt16BE(at + 2);
  }
  return undefined;
}

function isScanOfAll(bytes: Buffer, frame: number, scan: number): boolean {
  return bytes[frame + 9] === bytes[scan + 4];
}

/** @param frame where the marker of the frame header stands */
function higher(bytes: Buffer, frame: number): HigherJpeg | undefined {
  const [height, width] = [bytes.readUInt16BE(frame + 5), bytes.readUInt16BE(frame + 7)];
  const samplings = Array.from({ length: bytes[frame + 9] ?? 0 }, (_, i) => (bytes[frame + 11 + 3 * i] ?? 0) & 15);
  const rows = (Math.ceil(height / READ_ROWS) + 1) * READ_ROWS - height;
  if (samplings.some((down) => down !== 1) || height + rows > LONGEST_SIDE) return undefined;
  const copy = Buffer.from(bytes);
  copy.writeUInt16BE(height + rows, frame + 5);
  return { bytes: copy, rows, pixels: rows * width };
}

/**
 * The picture without rows that were below it as it is stored.
 * @param image upright; its samples are moved
 * @param orientation how it was turned: 1..8
 */
export function withoutRowsBelow(image: Image, rows: number, orientation: number): Image {
  const { width, height, channels, data } = image;
  if (orientation <= 4) {
    const first = orientation === 3 || orientation === 4 ? rows : 0; // upside down
    const stride = width * channels;
    return { ...image, height: height - rows, data: data.subarray(first * stride, (first + height - rows) * stride) };
  }
  const first = orientation === 6 || orientation === 7 ? rows : 0; // clockwise
  const kept = width - rows;
  for (let row = 0; row < height; row++) {
    const from = (row * width + first) * channels;
    data.copyWithin(row * kept * channels, from, from + kept * channels);
  }
  return { ...image, width: kept, data: data.subarray(0, kept * height * channels) };
}
