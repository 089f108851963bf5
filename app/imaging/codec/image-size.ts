import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { readImageHeader } from './image-header.ts';
import { isFrame } from './jpeg-segments.ts';
import { sniffFormat } from './sniff-format.ts';

/** What a file says of its picture before anything is decoded. */
export interface ToldSize {
  /** In pixels, as stored: a picture that EXIF turns has them the other way round. */
  readonly width: number;
  readonly height: number;
  /** Whether there is alpha for certain; else a decoder has to tell. */
  readonly hasAlpha: boolean;
}

/** Of the colour types of PNG. */
const PNG_ALPHA = 4;
/** Where encoders write the size of everything but some TIFF and JPEG files. */
const HEAD_BYTES = 65_536;
/** A JPEG with more segments than this before its pixels is left to the decoder. */
const MAX_SEGMENTS = 1000;
const TIFF_HEADER_BYTES = 8;
/** A directory of more entries is left to the decoder. */
const MAX_DIRECTORY_BYTES = 2 + 12 * 1000;

/**
 * The size that the header of a file tells, from a few reads of it, however large the file is.
 * @returns undefined where it does not tell in a place that is known, or is no picture: the decoder finds the words for that
 * @throws what opening or reading the file throws
 */
export async function readImageSize(path: string): Promise<ToldSize | undefined> {
  const file = await open(path);
  try {
    const head = await readAt(file, 0, HEAD_BYTES);
    const format = formatOf(head);
    if (format === undefined) return undefined;
    if (format === 'png') return pngSize(head);
    if (format === 'jpeg') return await jpegSize(file);
    const { size } = readImageHeader(format === 'tiff' ? await tiffDirectory(file, head) : head, format);
    return size && { ...size, hasAlpha: false };
  } finally {
    await file.close();
  }
}

function formatOf(head: Buffer): ReturnType<typeof sniffFormat> | undefined {
  try {
    return sniffFormat(head, '');
  } catch {
    return undefined;
  }
}

/** https://www.w3.org/TR/png-3/#11IHDR */
function pngSize(head: Buffer): ToldSize | undefined {
  if (head.length < 33 || head.toString('latin1', 12, 16) !== 'IHDR') return undefined;
  const [width, height] = [head.readUInt32BE(16), head.readUInt32BE(20)];
  return { width, height, hasAlpha: (head.readUInt8(25) & PNG_ALPHA) !== 0 };
}

async function jpegSize(file: FileHandle): Promise<ToldSize | undefined> {
  let at = 2;
  for (let segments = 0; segments < MAX_SEGMENTS; segments++) {
    const start = await readAt(file, at, 9);
    const marker = start[1] ?? 0;
    if (start.length < 9 || start[0] !== 0xff) return undefined;
    if (marker === 0xff) {
      at += 1; // a fill byte
      continue;
    }
    if (isFrame(marker)) return { width: start.readUInt16BE(7), height: start.readUInt16BE(5), hasAlpha: false };
    const length = start.readUInt16BE(2);
    if (marker < 0xc0 || length < 2) return undefined;
    at += 2 + length;
  }
  return undefined;
}

/** The header of a TIFF with its first directory, wherever that lies in the file, right behind it. */
async function tiffDirectory(file: FileHandle, head: Buffer): Promise<Buffer> {
  const isIntel = head[0] === 0x49;
  const at = isIntel ? head.readUInt32LE(4) : head.readUInt32BE(4);
  const count = await readAt(file, at, 2);
  if (count.length < 2) return head;
  const bytes = 2 + 12 * (isIntel ? count.readUInt16LE() : count.readUInt16BE());
  if (bytes > MAX_DIRECTORY_BYTES) return head;
  const header = Buffer.from(head.subarray(0, TIFF_HEADER_BYTES));
  if (isIntel) header.writeUInt32LE(TIFF_HEADER_BYTES, 4);
  else header.writeUInt32BE(TIFF_HEADER_BYTES, 4);
  return Buffer.concat([header, await readAt(file, at, bytes)]);
}

async function readAt(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, at);
  return buffer.subarray(0, bytesRead);
}
