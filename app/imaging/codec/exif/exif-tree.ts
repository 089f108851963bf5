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
/** Bytes of one value by field type: BYTE, ASCII, SHORT, LONG, RATIONAL, SBYTE, UNDEFINED, SSHORT, … IFD; LONG8 to IFD8 of BigTIFF. */
const TYPE_BYTES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8] as const;
const [LONG, LONG8] = [4, 16];
const MAX_ENTRIES = 1000;
const MAX_DEPTH = 3;

/** How many bytes numbers and entries have. */
export interface Layout {
  /** The number at the start of the file that says which layout it is. */
  readonly version: number;
  /** Where the file says where its first directory is. */
  readonly firstAt: number;
  /** Of the number of entries. */
  readonly countBytes: 2 | 8;
  readonly entryBytes: 12 | 20;
  /** Of a place in the file, of the number of an entry's values, and of values that stand in the entry itself. */
  readonly placeBytes: 4 | 8;
}

export const CLASSIC: Layout = { version: 42, firstAt: 4, countBytes: 2, entryBytes: 12, placeBytes: 4 };
/** Of BigTIFF, for files of more than 4 GiB. */
export const BIG: Layout = { version: 43, firstAt: 8, countBytes: 8, entryBytes: 20, placeBytes: 8 };

/** A TIFF structure: its bytes, byte order and layout. */
export interface TiffStructure {
  readonly view: DataView;
  readonly isIntel: boolean;
  readonly layout: Layout;
  readonly firstDirectory: number;
}

/** Recognises the 8-byte header of a TIFF structure such as EXIF is (not BigTIFF). */
export function openTiff(bytes: Uint8Array): TiffStructure | undefined {
  const tiff = openTiffFile(bytes);
  return tiff?.layout === CLASSIC ? tiff : undefined;
}

/** Recognises the header of a TIFF or BigTIFF file. */
export function openTiffFile(bytes: Uint8Array): TiffStructure | undefined {
  if (bytes.length < 14) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const order = view.getUint16(0);
  const isIntel = order === 0x4949;
  if (!isIntel && order !== 0x4d4d) return undefined;
  const version = view.getUint16(2, isIntel);
  const layout = [CLASSIC, BIG].find((one) => one.version === version);
  if (!layout || layout.firstAt + layout.placeBytes > view.byteLength) return undefined;
  return { view, isIntel, layout, firstDirectory: unsigned(view, layout.firstAt, layout.placeBytes, isIntel) };
}

/** Where the entries of a directory lie; none where the directory is out of bounds. */
export function entryOffsets({ view, isIntel, layout }: TiffStructure, directory: number): number[] {
  const { countBytes, entryBytes } = layout;
  const first = directory + countBytes;
  if (directory < 8 || first > view.byteLength) return [];
  const count = unsigned(view, directory, countBytes, isIntel);
  if (count > MAX_ENTRIES || first + count * entryBytes > view.byteLength) return [];
  return Array.from({ length: count }, (_, i) => first + i * entryBytes);
}

function unsigned(view: DataView, at: number, bytes: 2 | 4 | 8, isIntel: boolean): number {
  if (bytes === 8) return Number(view.getBigUint64(at, isIntel));
  return bytes === 4 ? view.getUint32(at, isIntel) : view.getUint16(at, isIntel);
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
      const bytes = entry.value.length;
      if (depth === MAX_DEPTH || (bytes !== 4 && bytes !== 8)) return [];
      const place = unsigned(new DataView(entry.value.buffer, entry.value.byteOffset), 0, bytes, true);
      const pointer = bytes === 8 ? { ...entry, type: LONG, value: new Uint8Array(4) } : entry;
      return { ...pointer, child: this.read(place, () => true, depth + 1) };
    });
  }

  #entry(at: number, keeps: (tag: number) => boolean): Entry | undefined {
    const { view, isIntel, layout } = this.#tiff;
    const tag = view.getUint16(at, isIntel);
    const type = view.getUint16(at + 2, isIntel);
    const count = unsigned(view, at + 4, layout.placeBytes, isIntel);
    const isOfBig = type >= LONG8 && !POINTERS.has(tag); // which EXIF has no type for
    const length = isOfBig ? 0 : (TYPE_BYTES[type] ?? 0) * count;
    const valueAt = at + 4 + layout.placeBytes;
    const start = length > layout.placeBytes ? unsigned(view, valueAt, layout.placeBytes, isIntel) : valueAt;
    if (!keeps(tag) || length === 0 || start + length > view.byteLength) return undefined;
    this.#budget -= length + 12;
    if (this.#budget < 0) return undefined;
    const value = new Uint8Array(view.buffer, view.byteOffset + start, length);
    return { tag, type, count, value: isIntel ? Uint8Array.from(value) : swapped(value, type) };
  }
}

/** How a directory is written: where its first byte lies in the file, the byte order, and the layout. */
export interface Placement {
  readonly offset: number;
  readonly isIntel: boolean;
  readonly layout: Layout;
}

/**
 * The bytes of a directory and of all that it points to, for `offset` (even) in a file. The entries come first, sorted by
 * tag as TIFF demands, and no directory follows.
 */
export function writeDirectory(directory: Directory, { offset, isIntel, layout }: Placement): Uint8Array {
  const { countBytes, entryBytes, placeBytes } = layout;
  const entries = [...directory].sort((a, b) => a.tag - b.tag);
  const table = new DataView(new ArrayBuffer(countBytes + entries.length * entryBytes + placeBytes));
  const parts: Uint8Array[] = [new Uint8Array(table.buffer)];
  let end = offset + table.byteLength;
  const write = (at: number, value: number, bytes: 2 | 4 | 8): void => {
    if (bytes === 8) table.setBigUint64(at, BigInt(value), isIntel);
    else if (bytes === 4) table.setUint32(at, value, isIntel);
    else table.setUint16(at, value, isIntel);
  };
  const append = (bytes: Uint8Array): number => {
    const at = end;
    const padding = new Uint8Array(bytes.length % 2);
    parts.push(bytes, padding);
    end += bytes.length + padding.length;
    return at;
  };
  write(0, entries.length, countBytes);
  for (const [i, { tag, type, count, value, child }] of entries.entries()) {
    const at = countBytes + i * entryBytes;
    const valueAt = at + 4 + placeBytes;
    write(at, tag, 2);
    write(at + 2, child && placeBytes === 8 ? LONG8 : type, 2);
    write(at + 4, count, placeBytes);
    const bytes = isIntel ? value : swapped(value, type);
    if (child) write(valueAt, append(writeDirectory(child, { offset: end, isIntel, layout })), placeBytes);
    else if (bytes.length > placeBytes) write(valueAt, append(bytes), placeBytes);
    else new Uint8Array(table.buffer).set(bytes, valueAt);
  }
  return Buffer.concat(parts);
}

/** A whole TIFF structure, big-endian as EXIF writers prefer. */
export function writeTiff(directory: Directory): Uint8Array {
  const header = Buffer.from('MM\0*\0\0\0\x08', 'latin1');
  return Buffer.concat([header, writeDirectory(directory, { offset: header.length, isIntel: false, layout: CLASSIC })]);
}

/** The value in the other byte order. */
function swapped(value: Uint8Array, type: number): Uint8Array {
  const bytes = TYPE_BYTES[type] ?? 1;
  const width = type === 5 || type === 10 ? 4 : bytes; // a rational is two longs
  const result = new Uint8Array(value.length);
  for (let i = 0; i < value.length; i++) result[i] = value[i - (i % width) + width - 1 - (i % width)] ?? 0;
  return result;
}
