import { crc32, deflateSync, inflateSync } from 'node:zlib';
import type { Channels, Image } from '../../../app/imaging/image.ts';
import { allocateSamples } from '../../../app/imaging/image.ts';

/** A second PNG reader and writer, so that tests of the codec and of pixels do not lean on what they test. */

export interface PngChunk {
  readonly type: string;
  readonly data: Uint8Array;
}

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const CHANNELS: Readonly<Record<number, Channels>> = { 0: 1, 2: 3, 4: 2, 6: 4 };
const COLOR_TYPES: Readonly<Record<Channels, number>> = { 1: 0, 2: 4, 3: 2, 4: 6 };

export function readPngChunks(bytes: Uint8Array): PngChunk[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (!buffer.subarray(0, 8).equals(SIGNATURE)) throw new Error('not a PNG');
  const chunks: PngChunk[] = [];
  for (let at = 8; at < buffer.length; at += 12 + buffer.readUInt32BE(at)) {
    const end = at + 8 + buffer.readUInt32BE(at);
    if (crc32(buffer.subarray(at + 4, end)) !== buffer.readUInt32BE(end)) throw new Error(`bad CRC at ${at}`);
    chunks.push({ type: buffer.toString('latin1', at + 4, at + 8), data: buffer.subarray(at + 8, end) });
  }
  return chunks;
}

export function pngChunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}

/** A PNG of exactly these chunks. */
export function joinPng(chunks: readonly PngChunk[]): Buffer {
  return Buffer.concat([SIGNATURE, ...chunks.map(({ type, data }) => pngChunk(type, data))]);
}

export function headerChunk(width: number, height: number, depth: number, colorType: number): PngChunk {
  const data = Buffer.alloc(13);
  data.writeUInt32BE(width, 0);
  data.writeUInt32BE(height, 4);
  data[8] = depth;
  data[9] = colorType;
  return { type: 'IHDR', data };
}

/** Reads 8- and 16-bit gray and RGB, with and without alpha, not interlaced: what the goldens are. */
export function readPng(bytes: Uint8Array): Image {
  const chunks = readPngChunks(bytes);
  const header = Buffer.from(chunks[0]?.data ?? []);
  const [depth, colorType, interlace] = [header[8], header[9] ?? -1, header[12]];
  const channels = CHANNELS[colorType];
  if ((depth !== 8 && depth !== 16) || channels === undefined || interlace !== 0) throw new Error('not a plain PNG');
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const rows = inflateSync(Buffer.concat(chunks.filter(({ type }) => type === 'IDAT').map(({ data }) => data)));
  const plain = unfilter(rows, height, (width * channels * depth) / 8, (channels * depth) / 8);
  const data = allocateSamples(depth, width * height * channels);
  if (depth === 8) data.set(plain);
  else for (let i = 0; i < data.length; i++) data[i] = plain.readUInt16BE(i * 2);
  return { width, height, channels, depth, data };
}

/** A PNG of the image, its rows unfiltered; `extra` chunks go between header and data. */
export function writePng(image: Image, extra: readonly PngChunk[] = []): Buffer {
  const { width, height, channels, depth, data } = image;
  const length = (width * channels * depth) / 8;
  const rows = Buffer.alloc((length + 1) * height);
  for (let i = 0; i < data.length; i++) {
    const y = Math.trunc(i / (width * channels));
    const at = y * (length + 1) + 1 + ((i - y * width * channels) * depth) / 8;
    if (depth === 8) rows[at] = data[i] ?? 0;
    else rows.writeUInt16BE(data[i] ?? 0, at);
  }
  return joinPng([
    headerChunk(width, height, depth, COLOR_TYPES[channels]),
    ...extra,
    { type: 'IDAT', data: deflateSync(rows) },
    { type: 'IEND', data: new Uint8Array(0) },
  ]);
}

function unfilter(rows: Buffer, height: number, length: number, step: number): Buffer {
  const plain = Buffer.alloc(length * height);
  for (let y = 0; y < height; y++) {
    const filter = rows[y * (length + 1)];
    for (let x = 0; x < length; x++) {
      const left = x >= step ? (plain[y * length + x - step] ?? 0) : 0;
      const up = y > 0 ? (plain[(y - 1) * length + x] ?? 0) : 0;
      const corner = x >= step && y > 0 ? (plain[(y - 1) * length + x - step] ?? 0) : 0;
      const predicted = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter ?? 0] ?? 0;
      plain[y * length + x] = (rows[y * (length + 1) + 1 + x] ?? 0) + predicted;
    }
  }
  return plain;
}

function paeth(left: number, up: number, corner: number): number {
  const estimate = left + up - corner;
  const [a, b, c] = [Math.abs(estimate - left), Math.abs(estimate - up), Math.abs(estimate - corner)];
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}
