import { closeSync, openSync, readSync } from 'node:fs';

/** What the loader of a Linux system reads of a library before it loads it. */
export interface ElfFile {
  /** The kind of processor, as the format counts them: 62 is x86-64, 183 is AArch64. */
  readonly machine: number;
  /** Names of the libraries that must be there too (DT_NEEDED), in order. */
  readonly needed: readonly string[];
  /** Folders that the file itself names for them (DT_RUNPATH, else DT_RPATH); `$ORIGIN` is not yet put in. */
  readonly searchPath: readonly string[];
}

interface Segment {
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

const HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const DYNAMIC_ENTRY_BYTES = 16;
/** A name is read no further than this. */
const MAX_NAME_BYTES = 4096;
/** More program headers or dynamic entries than any library has. */
const MAX_ENTRIES = 4096;
const LOADED = 1;
const DYNAMIC = 2;
const TAGS = { needed: 1, stringTable: 5, rpath: 15, runpath: 29 } as const;

/**
 * Reads what a 64-bit little-endian ELF file needs; undefined where it is none, or cannot be read. Only its headers are read,
 * whatever its size.
 */
export function readElfFile(path: string): ElfFile | undefined {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return undefined;
  }
  try {
    return parse(file);
  } catch {
    return undefined; // cut off, or a folder
  } finally {
    closeSync(file);
  }
}

function parse(file: number): ElfFile | undefined {
  const header = read(file, 0, HEADER_BYTES);
  const isElf64 = header.readUInt32BE(0) === 0x7f454c46 && header[4] === 2 && header[5] === 1;
  if (!isElf64) return undefined;
  const machine = header.readUInt16LE(18);
  const segments = programHeaders(file, header);
  const loaded = segments.filter(({ type }) => type === LOADED);
  const dynamic = segments.find(({ type }) => type === DYNAMIC);
  if (!dynamic) return { machine, needed: [], searchPath: [] };
  const entries = dynamicEntries(file, dynamic);
  const valuesOf = (tag: number) => entries.filter((entry) => entry.tag === tag).map(({ value }) => value);
  const names = offsetOf(valuesOf(TAGS.stringTable)[0] ?? 0, loaded);
  const text = (at: number): string => textAt(file, names + at);
  const [paths] = [valuesOf(TAGS.runpath), valuesOf(TAGS.rpath)].filter(({ length }) => length > 0);
  return {
    machine,
    needed: valuesOf(TAGS.needed).map(text),
    searchPath: (paths ?? []).flatMap((at) => text(at).split(':')).filter((folder) => folder !== ''),
  };
}

function programHeaders(file: number, header: Buffer): (Segment & { readonly type: number })[] {
  const [start, count] = [Number(header.readBigUInt64LE(32)), Math.min(header.readUInt16LE(56), MAX_ENTRIES)];
  const table = read(file, start, count * PROGRAM_HEADER_BYTES);
  return Array.from({ length: count }, (_, index) => {
    const at = index * PROGRAM_HEADER_BYTES;
    const number = (offset: number): number => Number(table.readBigUInt64LE(at + offset));
    return { type: table.readUInt32LE(at), offset: number(8), address: number(16), size: number(32) };
  });
}

function dynamicEntries(file: number, { offset, size }: Segment): { readonly tag: number; readonly value: number }[] {
  const count = Math.min(Math.floor(size / DYNAMIC_ENTRY_BYTES), MAX_ENTRIES);
  const table = read(file, offset, count * DYNAMIC_ENTRY_BYTES);
  return Array.from({ length: count }, (_, index) => ({
    tag: Number(table.readBigInt64LE(index * DYNAMIC_ENTRY_BYTES)),
    value: Number(table.readBigUInt64LE(index * DYNAMIC_ENTRY_BYTES + 8)),
  }));
}

/** Where in the file lies what is loaded at an address. */
function offsetOf(address: number, loaded: readonly Segment[]): number {
  const segment = loaded.find((one) => address >= one.address && address < one.address + one.size);
  if (!segment) throw new RangeError('an address outside of the file');
  return segment.offset + (address - segment.address);
}

function textAt(file: number, offset: number): string {
  const bytes = Buffer.alloc(MAX_NAME_BYTES);
  const count = readSync(file, bytes, 0, MAX_NAME_BYTES, offset);
  const end = bytes.indexOf(0);
  if (end < 0 || end >= count) throw new RangeError('a name without an end');
  return bytes.toString('latin1', 0, end);
}

function read(file: number, offset: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  if (readSync(file, bytes, 0, length, offset) < length) throw new RangeError('cut off');
  return bytes;
}
