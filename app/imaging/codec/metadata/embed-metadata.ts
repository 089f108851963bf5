import { statSync } from 'node:fs';
import { avifColorEdits } from '../color/avif-color-edits.ts';
import type { ColorCodes } from '../color/stated-color.ts';
import { descriptiveEntries } from '../exif/exif.ts';
import type { Directory, Layout } from '../exif/exif-tree.ts';
import { BIG, CLASSIC, openTiff, writeDirectory } from '../exif/exif-tree.ts';
import { iptcEntry, resourcesOfIptc } from '../exif/iptc.ts';
import type { Edit } from '../file-edits.ts';
import { readBytes } from '../file-edits.ts';
import { readImageHeader } from '../image-header.ts';
import { boxAt, extentOf, itemsOf } from '../media-boxes.ts';
import type { OutputMetadata } from './output-metadata.ts';
import { makePngChunk, PNG_AFTER_HEADER } from '../png-chunks.ts';

/*
 * What libvips cannot write as it is, put into the files that it wrote: it takes EXIF apart and drops what it does not
 * know, keeps PNG texts only uncompressed, and knows no density in JPEG without EXIF. Each function looks at the start of
 * a file and answers with the edits to make.
 */

/**
 * Whole chunks, and EXIF, right after IHDR: colour chunks have to be before the pixels, texts may be. Where no density is known, what
 * libvips says of one is taken back.
 */
export function pngEdits(file: string, { pngChunks: chunks, exif, density }: OutputMetadata): Edit[] {
  const unsaid = density?.unit === 'inch' ? [] : shapeOfPixels(file, density ?? { x: 1, y: 1 });
  const inserted = exif ? [...chunks, makePngChunk('eXIf', exif)] : chunks;
  return inserted.length === 0
    ? unsaid
    : [{ at: PNG_AFTER_HEADER, remove: 0, insert: Buffer.concat(inserted) }, ...unsaid];
}

/** In the place of a PNG's density what shape its pixels have, and no more. */
function shapeOfPixels(file: string, { x, y }: { readonly x: number; readonly y: number }): Edit[] {
  const data = Buffer.alloc(9); // the last byte: the unit is not known
  data.writeUInt32BE(Math.max(Math.round(x), 1), 0);
  data.writeUInt32BE(Math.max(Math.round(y), 1), 4);
  const shape = makePngChunk('pHYs', data);
  for (let at = 8; ;) {
    const head = readBytes(file, at, 8);
    const type = head.toString('latin1', 4);
    if (type === 'pHYs') return [{ at, remove: shape.length, insert: shape }];
    if (head.length < 8 || type === 'IDAT') return [];
    at += 12 + head.readUInt32BE();
  }
}

/** At the start JFIF, EXIF, IPTC and a comment, each a segment. */
export function jpegEdits(file: string, { exif, iptc, comment, density }: OutputMetadata): Edit[] {
  const start = readBytes(file, 0, 24);
  const hasJfif = start.toString('latin1', 6, 10) === 'JFIF';
  const jfif = Buffer.from('\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0', 'latin1');
  if (density !== undefined) {
    const rounded = (value: number): number => Math.min(Math.max(Math.round(value), 1), 65_535);
    jfif[11] = density.unit === 'inch' ? 1 : 0;
    jfif.writeUInt16BE(rounded(density.x), 12);
    jfif.writeUInt16BE(rounded(density.y), 14);
  }
  const segments = [
    jfif,
    ...(exif ? [segment(0xe1, Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), exif]))] : []),
    ...(iptc ? [segment(0xed, resourcesOfIptc(iptc))] : []),
    ...(comment ? [segment(0xfe, comment)] : []),
  ];
  return [{ at: 2, remove: hasJfif ? 2 + start.readUInt16BE(4) : 0, insert: Buffer.concat(segments) }];
}

function segment(marker: number, data: Uint8Array): Buffer {
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(2 + data.length, 2);
  return Buffer.concat([head, data]);
}

const ALPHA_FLAG = 0x10;

/** An EXIF chunk at the end, and the VP8X header that announces it, which a plain file lacks. */
export function webpEdits(file: string, exif: Uint8Array | undefined): Edit[] {
  if (!exif) return [];
  const size = statSync(file).size;
  const head = readBytes(file, 0, 30);
  const chunk = Buffer.concat([Buffer.from('EXIF'), uint32le(exif.length), exif, Buffer.alloc(exif.length % 2)]);
  const hasFlags = head.toString('latin1', 12, 16) === 'VP8X';
  const added = chunk.length + (hasFlags ? 0 : 18);
  const exifFlag = 0x08;
  const flags: Edit = hasFlags
    ? { at: 20, remove: 1, insert: Uint8Array.of((head[20] ?? 0) | exifFlag) }
    : { at: 12, remove: 0, insert: extendedHeader(head, exifFlag, file) };
  return [{ at: 4, remove: 4, insert: uint32le(size - 8 + added) }, flags, { at: size, remove: 0, insert: chunk }];
}

/** VP8X for a plain file: a lossy one has no alpha, a lossless one says whether it has. */
function extendedHeader(head: Buffer, flags: number, file: string): Buffer {
  const { size } = readImageHeader(head, 'webp');
  const isVp8l = head.toString('latin1', 12, 16) === 'VP8L';
  if (!size) throw new RangeError(`${file}: not a WebP file with one frame`);
  const chunk = Buffer.alloc(18);
  chunk.write('VP8X', 0, 'latin1');
  chunk.writeUInt32LE(10, 4);
  chunk[8] = flags | (isVp8l && ((head[24] ?? 0) & 0x10) !== 0 ? ALPHA_FLAG : 0);
  chunk.writeUIntLE(size.width - 1, 12, 3);
  chunk.writeUIntLE(size.height - 1, 15, 3);
  return chunk;
}

/** Bytes of an AVIF Exif item before the TIFF structure: the offset of that, and `Exif\0\0`. */
const EXIF_ITEM_HEAD = 10;

/** A text that, written by libvips as a description, makes room for EXIF of this size. */
export function exifPlaceholder(exif: Uint8Array): string {
  return '~'.repeat(Math.max(exif.length, 16));
}

/** Puts EXIF in the place of the placeholder (zeros after a TIFF structure are nobody's), and says the codes of the colours. */
export function avifEdits(file: string, exif: Uint8Array | undefined, codes: ColorCodes | undefined): Edit[] {
  if (!exif && !codes) return [];
  const fileType = readBytes(file, 0, 4).readUInt32BE();
  const meta = fileType + readBytes(file, fileType, 4).readUInt32BE();
  const head = readBytes(file, 0, meta);
  return [...(codes ? avifColorEdits(head, codes) : []), ...(exif ? [avifExifEdit(file, head, exif)] : [])];
}

function avifExifEdit(file: string, head: Buffer, exif: Uint8Array): Edit {
  const item = boxAt(head, 'meta') && itemsOf(head).find(({ type }) => type === 'Exif');
  const extent = item && extentOf(head, item.id);
  if (!extent || extent.length < EXIF_ITEM_HEAD + exif.length) throw new RangeError(`${file}: no room for EXIF`);
  const body = Buffer.alloc(extent.length - EXIF_ITEM_HEAD);
  body.set(exif);
  return { at: extent.offset + EXIF_ITEM_HEAD, remove: body.length, insert: body };
}

/**
 * A new first directory at the end, with what EXIF and IPTC say besides what the old one says; where the size of pixels is not known,
 * that it is not.
 */
export function tiffEdits(file: string, { exif, iptc, density }: OutputMetadata): Edit[] {
  const unit = density?.unit ?? 'none';
  const head = readBytes(file, 0, 16);
  const layout = head.readUInt16LE(2) === BIG.version ? BIG : CLASSIC;
  const { countBytes, entryBytes, placeBytes, firstAt } = layout;
  const directoryAt = readNumber(head, firstAt, placeBytes);
  const tableAt = directoryAt + countBytes;
  const count = readNumber(readBytes(file, directoryAt, countBytes), 0, countBytes);
  const old = splitEntries(readBytes(file, tableAt, count * entryBytes), layout);
  const unitAt = old.findIndex((entry) => entry.readUInt16LE() === RESOLUTION_UNIT);
  const valueAt = 4 + placeBytes;
  const unsaid =
    unit === 'none' && unitAt >= 0 ? [{ at: tableAt + unitAt * entryBytes + valueAt, remove: 2, insert: NO_UNIT }] : [];
  if (unit === 'none') old[unitAt]?.set(NO_UNIT, valueAt);
  const source = exif && openTiff(exif);
  const taken = new Set(old.map((entry) => entry.readUInt16LE()));
  const said = [...(source ? descriptiveEntries(source) : []), ...(iptc ? [iptcEntry(iptc)] : [])];
  const added = said.filter(({ tag }) => !taken.has(tag));
  return said.length > 0 ? directoryEdits(file, layout, old, added) : unsaid;
}

/** @param old the entries of the directory that the file has */
function directoryEdits(file: string, layout: Layout, old: readonly Buffer[], added: Directory): Edit[] {
  const { countBytes, entryBytes, placeBytes, firstAt } = layout;
  const size = statSync(file).size;
  const padding = size % 2;
  const offset = size + padding;
  const bytesOf = (entries: number): number => countBytes + entries * entryBytes + placeBytes;
  // Placed so that its own table ends where the joined one will: then what follows the table is where it says it is.
  const place = offset + bytesOf(old.length + added.length) - bytesOf(added.length);
  const written = Buffer.from(writeDirectory(added, { offset: place, isIntel: true, layout }));
  const addedTable = written.subarray(countBytes, countBytes + added.length * entryBytes);
  const entries = [...old, ...splitEntries(addedTable, layout)];
  entries.sort((a, b) => a.readUInt16LE() - b.readUInt16LE());
  const directory = Buffer.concat([
    Buffer.alloc(padding),
    numberBytes(entries.length, countBytes),
    ...entries,
    Buffer.alloc(placeBytes),
    written.subarray(bytesOf(added.length)),
  ]);
  return [
    { at: firstAt, remove: placeBytes, insert: numberBytes(offset, placeBytes) },
    { at: size, remove: 0, insert: directory },
  ];
}

const RESOLUTION_UNIT = 296;
const NO_UNIT = Uint8Array.of(1, 0);

function splitEntries(table: Buffer, { entryBytes }: Layout): Buffer[] {
  return Array.from({ length: table.length / entryBytes }, (_, i) =>
    table.subarray(i * entryBytes, (i + 1) * entryBytes),
  );
}

function readNumber(bytes: Buffer, at: number, length: 2 | 4 | 8): number {
  return length === 8 ? Number(bytes.readBigUInt64LE(at)) : bytes.readUIntLE(at, length);
}

function numberBytes(value: number, length: 2 | 4 | 8): Buffer {
  const bytes = Buffer.alloc(length);
  if (length === 8) bytes.writeBigUInt64LE(BigInt(value));
  else bytes.writeUIntLE(value, 0, length);
  return bytes;
}

function uint32le(value: number): Buffer {
  return numberBytes(value, 4);
}
