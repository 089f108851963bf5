import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { BadImageError, UnsupportedImageError } from '../errors.ts';
import type { Rectangle } from '../rectangle.ts';
import { isMonochrome, isVideoRange } from './color/read-stated-color.ts';
import { partialFirstFrame } from './pixels/gif-frame.ts';
import type { ImageHeader } from './image-header.ts';
import { readImageHeader } from './image-header.ts';
import { readJpegParts } from './jpeg-segments.ts';
import { hasMultipliedColors } from './media-boxes.ts';
import type { LabEncoding } from './pixels/lab-to-srgb.ts';
import type { ImageMetadata } from './metadata/metadata.ts';
import { readPngParts } from './png-chunks.ts';
import type { ImageFormat } from './sniff-format.ts';
import { SNIFF_BYTES, sniffFormat } from './sniff-format.ts';
import type { ChosenPage } from './tiff/choose-page.ts';
import { choosePage } from './tiff/choose-page.ts';
import { withClosedJpegs } from './tiff/closed-jpegs.ts';
import { readTiffPages } from './tiff/tiff-pages.ts';

/** Where an ISO base media file has its major brand. */
const BRAND_AT = 8;
const PHOTOMETRIC_RGB = 2;
const INTEL = 0x49;
const UPRIGHT = 1;
/** What Canon writes behind the header of a TIFF that is a CR2. */
const [CR2_AT, CR2] = [8, [0x43, 0x52]];

/** What was found out about a file before it is decoded. */
export interface PreparedFile {
  /** What libvips may see of the file. */
  readonly bytes: Uint8Array;
  readonly size: { readonly width: number; readonly height: number } | undefined;
  readonly frames: number;
  readonly endsEarly: boolean;
  readonly metadata: Omit<ImageMetadata, 'format'>;
  readonly warnings: readonly string[];
  /** Samples are L*a*b*, though libvips is told that they are RGB. */
  readonly lab?: LabEncoding | undefined;
  /** AVIF, HEIC: one channel is stored, of which the decoder makes three. */
  readonly isMonochrome?: boolean;
  /** AVIF, HEIC: samples of one channel are in the range of video, and the decoder leaves them there. */
  readonly isVideoRange?: boolean;
  /** AVIF, HEIC: colours are multiplied with alpha, and the decoder leaves them so. */
  readonly isMultiplied?: boolean;
  /** TIFF: the page that is the picture. */
  readonly page?: ChosenPage | undefined;
  /** GIF: what the first frame covers, where that is not all. */
  readonly frame?: Rectangle | undefined;
}

/** A file that is an image by its first bytes, which are looked at before the rest is read. */
export interface ImageFile {
  readonly bytes: Uint8Array;
  readonly format: ImageFormat;
}

/**
 * Reads a file of at most `maxBytes` whose first bytes are those of an image.
 * @param name by which messages call it
 * @throws BadImageError, UnsupportedImageError
 */
export function readImageFile(path: string, name: string, maxBytes: number): ImageFile {
  const fd = openFile(path, name);
  try {
    const head = new Uint8Array(SNIFF_BYTES);
    const format = sniffFormat(head.subarray(0, readSync(fd, head, 0, head.length, 0)), name);
    const { size } = fstatSync(fd);
    if (size > maxBytes) throw new BadImageError(name, `expected a file of at most ${maxBytes} bytes, got ${size}`);
    return { bytes: readFileSync(fd), format };
  } finally {
    closeSync(fd);
  }
}

function openFile(path: string, name: string): number {
  try {
    const fd = openSync(path, 'r');
    if (fstatSync(fd).isFile()) return fd;
    closeSync(fd);
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new BadImageError(name, `the file cannot be read (${detail})`, { cause });
  }
  throw new BadImageError(name, 'expected an image file, got a folder or a device');
}

/**
 * Walks a file before any decoder does: sizes from the header, metadata set aside, and only what the pixels need passed on.
 * @throws BadImageError
 */
export function prepareFile(bytes: Uint8Array, format: ImageFormat, name: string): PreparedFile {
  if (format === 'png') {
    const { pixels, chunks, icc, xmp, density, frames, warnings, leftOut, width, height } = readPngParts(bytes, name);
    const metadata = { icc, xmp, density, leftOut, pngChunks: chunks.length > 0 ? chunks : undefined };
    return { bytes: pixels, size: { width, height }, frames, endsEarly: false, metadata, warnings };
  }
  if (format === 'jpeg') {
    const { pixels, endsEarly, density, iptc, comment, leftOut, warnings, width, height } = readJpegParts(bytes, name);
    return {
      bytes: pixels,
      size: { width, height },
      frames: 1,
      endsEarly,
      metadata: { density, iptc, comment, leftOut },
      warnings,
    };
  }
  const header = readImageHeader(bytes, format);
  if (header.refusal !== undefined) throw new BadImageError(name, header.refusal);
  if (format === 'tiff' && CR2.every((byte, at) => bytes[CR2_AT + at] === byte)) {
    throw new UnsupportedImageError(name, 'a camera raw (CR2) image');
  }
  const page = format === 'tiff' ? choosePage(readTiffPages(bytes), name) : undefined;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isBoxes = format === 'avif' || format === 'heic';
  const isGray = isBoxes && isMonochrome(buffer);
  return {
    bytes: closed(asLibvipsReads(bytes, header, page), page),
    size: page ? page.page.size : header.size,
    frames: 1,
    endsEarly: (header.declaredLength ?? 0) > bytes.length,
    metadata: {},
    warnings: header.isSequence
      ? ['the file is an AVIF sequence; only its still image is used']
      : (page?.warnings ?? []),
    lab: header.lab?.encoding,
    isMonochrome: isGray,
    isMultiplied: isBoxes && hasMultipliedColors(buffer),
    isVideoRange: isGray && isVideoRange(buffer),
    page,
    frame: format === 'gif' ? partialFirstFrame(buffer) : undefined,
  };
}

function closed(bytes: Uint8Array, page: ChosenPage | undefined): Uint8Array {
  const { openJpegs = [] } = page?.page ?? {};
  return openJpegs.length > 0 ? withClosedJpegs(bytes, openJpegs) : bytes;
}

/** The file with what libvips cannot take relabelled. */
function asLibvipsReads(bytes: Uint8Array, { isSequence, lab }: ImageHeader, page: ChosenPage | undefined): Uint8Array {
  const orientation = page?.page.orientation;
  const isTurnable = orientation === undefined || (orientation.value >= 1 && orientation.value <= 8);
  if (!isSequence && !lab && isTurnable) return bytes;
  const relabelled = Uint8Array.from(bytes);
  const view = new DataView(relabelled.buffer);
  // It does not know the brand of AVIF sequences, but reads the still image that they hold besides.
  if (isSequence) relabelled.set(Buffer.from('avif'), BRAND_AT);
  // It does not read L*a*b*; told that it is RGB, it passes the samples on as they are.
  if (lab) view.setUint16(lab.valueAt, PHOTOMETRIC_RGB, bytes[0] === INTEL);
  // It refuses what viewers take for upright.
  if (!isTurnable) view.setUint16(orientation.at, UPRIGHT, bytes[0] === INTEL);
  return relabelled;
}
