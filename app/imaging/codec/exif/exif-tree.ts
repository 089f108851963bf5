import { METADATA_LIMITS } from '../metadata/metadata.ts';

/** A directory of a TIFF structure, which is what EXIF is made of. */
export type Directory = readonly Entry[];

export interface Entry {
  readonly tag: number;
  /** TIFF field type, 1..13. */
  readonly type: number;
  readonly count: number;
  /** The value in Intel byte order, whatever the file's is. */
  readonly value: Uint8Array;
  /** What the value points to, for the tags that are pointers. */
  readonly child?: Directory | undefined;
}

/** Tags that EXIF handling names. */
export const TAG = {
  orientation: 0x0112,
  exif: 0x8769,
  gps: 0x8825,
  userComment: 0x9286,
  interoperability: 0xa005,
} as const;

const POINTERS: ReadonlySet<number> = new Set([TAG.exif, TAG.gps, TAG.interoperability]);
/** Bytes of one value by field type: BYTE, ASCII, SHORT, LONG, RATIONAL, SBYTE, UNDEFINED, SSHORT, … IFD. */
const TYPE_BYTES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4] as const;
const MAX_ENTRIES = 1000;
const MAX_DEPTH = 3;

/** A TIFF structure: its bytes and byte order. */
export interface TiffStructure {
  readonly view: DataView;
  readonly isIntel: boolean;
  readonly firstDirectory: number;
}

/** Recognises the 8-byte header of a TIFF structure (not BigTIFF). */
export function openTiff(bytes: Uint8Array): TiffStructure | undefined {
  if (bytes.length < 14) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const order = view.getUint16(0);
  const isIntel = order === 0x4949;
  if ((!isIntel && order !== 0x4d4d) || view.getUint16(2, isIntel) !== 42) return undefined;
  return { view, isIntel, firstDirectory: view.getUint32(4, isIntel) };
}

/** Where the 12-byte entries of a directory lie; none where the directory is out of bounds. */
export function entryOffsets({ view, isIntel }: TiffStructure, directory: number): number[] {
  if (directory < 8 || directory + 2 > view.byteLength) return [];
  const count = view.getUint16(directory, isIntel);
  if (count > MAX_ENTRIES || directory + 2 + count * 12 > view.byteLength) return [];
  return Array.from({ length: count }, (_, i) => directory + 2 + i * 12);
}

/**
 * Reads a directory with what it points to. Entries that lie outside the file, or would make the whole larger than EXIF
 * may be, are left out.
 */
export function readDirectory(
  tiff: TiffStructure,
  directory: number,
  keeps: (tag: number) => boolean = () => true,
): Entry[] {
  return new DirectoryReader(tiff).read(directory, keeps, 0);
}

class DirectoryReader {
  readonly #tiff: TiffStructure;
  #budget: number = METADATA_LIMITS.exif;

  constructor(tiff: TiffStructure) {
    this.#tiff = tiff;
  }

  read(directory: number, keeps: (tag: number) => boolean, depth: number): Entry[] {
    return entryOffsets(this.#tiff, directory).flatMap((at) => {
      const entry = this.#entry(at, keeps);
      if (!entry || !POINTERS.has(entry.tag)) return entry ?? [];
      if (depth === MAX_DEPTH || entry.value.length !== 4) return [];
      const pointer = new DataView(entry.value.buffer, entry.value.byteOffset).getUint32(0, true);
      return { ...entry, child: this.read(pointer, () => true, depth + 1) };
    });
  }

  #entry(at: number, keeps: (tag: number) => boolean): Entry | undefined {
    const { view, isIntel } = this.#tiff;
    const tag = view.getUint16(at, isIntel);
    const type = view.getUint16(at + 2, isIntel);
    const count = view.getUint32(at + 4, isIntel);
    const length = (TYPE_BYTES[type] ?? 0) * count;
    const start = length > 4 ? view.getUint32(at + 8, isIntel) : at + 8;
    if (!keeps(tag) || length === 0 || start + length > view.byteLength) return undefined;
    this.#budget -= length + 12;
    if (this.#budget < 0) return undefined;
    const value = new Uint8Array(view.buffer, view.byteOffset + start, length);
    return { tag, type, count, value: isIntel ? Uint8Array.from(value) : swapped(value, type) };
  }
}

/** How a directory is written: where its first byte lies in the file, and the byte order. */
export interface Placement {
  readonly offset: number;
  readonly isIntel: boolean;
}

/**
 * The bytes of a directory and of all that it points to, for `offset` (even) in a file. The entries come first, sorted by
 * tag as TIFF demands, and no directory follows.
 */
export function writeDirectory(directory: Directory, { offset, isIntel }: Placement): Uint8Array {
  const entries = [...directory].sort((a, b) => a.tag - b.tag);
  const table = new DataView(new ArrayBuffer(2 + entries.length * 12 + 4));
  const parts: Uint8Array[] = [new Uint8Array(table.buffer)];
  let end = offset + table.byteLength;
  const append = (bytes: Uint8Array): number => {
    const at = end;
    const padding = new Uint8Array(bytes.length % 2);
    parts.push(bytes, padding);
    end += bytes.length + padding.length;
    return at;
  };
  table.setUint16(0, entries.length, isIntel);
  for (const [i, { tag, type, count, value, child }] of entries.entries()) {
    const at = 2 + i * 12;
    table.setUint16(at, tag, isIntel);
    table.setUint16(at + 2, type, isIntel);
    table.setUint32(at + 4, count, isIntel);
    const bytes = isIntel ? value : swapped(value, type);
    if (child) table.setUint32(at + 8, append(writeDirectory(child, { offset: end, isIntel })), isIntel);
    else if (bytes.length > 4) table.setUint32(at + 8, append(bytes), isIntel);
    else new Uint8Array(table.buffer).set(bytes, at + 8);
  }
  return Buffer.concat(parts);
}

/** A whole TIFF structure, big-endian as EXIF writers prefer. */
export function writeTiff(directory: Directory): Uint8Array {
  const header = Buffer.from('MM\0*\0\0\0\x08', 'latin1');
  return Buffer.concat([header, writeDirectory(directory, { offset: header.length, isIntel: false })]);
}

/** The value in the other byte order. */
function swapped(value: Uint8Array, type: number): Uint8Array {
  const bytes = TYPE_BYTES[type] ?? 1;
  const width = type === 5 || type === 10 ? 4 : bytes; // a rational is two longs
  const result = new Uint8Array(value.length);
  for (let i = 0; i < value.length; i++) result[i] = value[i - (i % width) + width - 1 - (i % width)] ?? 0;
  return result;
}
