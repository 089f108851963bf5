import type { ByteFile } from '../byte-file.ts';
import { CheckpointError, quoted } from '../errors.ts';

/** A member of a zip archive, as the central directory tells. Offsets and sizes in bytes, inside the file. */
export interface ZipEntry {
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly crc32: number;
  readonly compressedSize: number;
  readonly size: number;
  readonly headerOffset: number;
  /** Where the next member, or the directory, begins: nothing of this one may lie beyond. */
  readonly limit: number;
}

/** Record signatures, and the lengths of their fixed parts (APPNOTE.TXT 4.3). */
const DIRECTORY_ENTRY = 0x02014b50;
const DIRECTORY_ENTRY_BYTES = 46;
const END = 0x06054b50;
const END_BYTES = 22;
const ZIP64_END = 0x06064b50;
const ZIP64_END_BYTES = 56;
const ZIP64_LOCATOR = 0x07064b50;
const ZIP64_LOCATOR_BYTES = 20;
const LOCAL_HEADER_BYTES = 30;

const MAX_COMMENT_BYTES = 0xffff;
/** In a field of 16 or 32 bits: the value is in the zip64 record. */
const IN_ZIP64_16 = 0xffff;
const IN_ZIP64_32 = 0xffffffff;
const MAX_ENTRIES = 100_000;
const MAX_DIRECTORY_BYTES = 32 << 20;
/** Encrypted (bit 0), patched (5), strongly encrypted (6), masked headers (13). */
const UNREADABLE_FLAGS = 0x2061;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

interface DirectoryPlace {
  readonly entries: number;
  readonly offset: number;
  readonly size: number;
}

/**
 * The central directory of a zip archive (zip64 and comments included), by name. Members may not overlap, repeat a name, be
 * encrypted or lie outside of the file; that the archive fills the file keeps other formats from hiding in it.
 * @throws CheckpointError
 */
export function readZipDirectory(file: ByteFile): ReadonlyMap<string, ZipEntry> {
  const place = findDirectory(file);
  const records = parseDirectory(file.read(place.offset, place.size), place.entries);
  records.sort((a, b) => a.headerOffset - b.headerOffset);
  const entries = new Map<string, ZipEntry>();
  records.forEach((record, i) => {
    if (entries.has(record.name)) {
      throw new CheckpointError('duplicate-entry', `the archive holds ${quoted(record.name)} twice`);
    }
    const limit = records[i + 1]?.headerOffset ?? place.offset;
    if (record.headerOffset + LOCAL_HEADER_BYTES + record.compressedSize > limit) {
      throw badZip(
        `${quoted(record.name)} reaches beyond byte ${limit}, where the next member or the directory begins`,
      );
    }
    entries.set(record.name, { ...record, limit });
  });
  return entries;
}

function findDirectory(file: ByteFile): DirectoryPlace {
  const end = findEnd(file);
  const record = file.read(end, END_BYTES);
  const short = {
    disk: record.readUInt16LE(4),
    entries: record.readUInt16LE(10),
    size: record.readUInt32LE(12),
    offset: record.readUInt32LE(16),
  };
  const long = findZip64(file, end);
  const place = {
    entries: short.entries === IN_ZIP64_16 ? (long?.entries ?? short.entries) : short.entries,
    size: short.size === IN_ZIP64_32 ? (long?.size ?? short.size) : short.size,
    offset: short.offset === IN_ZIP64_32 ? (long?.offset ?? short.offset) : short.offset,
  };
  if (short.disk !== 0) throw badZip('it is one part of several');
  if (
    long !== undefined &&
    (long.entries !== place.entries || long.size !== place.size || long.offset !== place.offset)
  ) {
    throw badZip('its two end records differ');
  }
  if (place.offset + place.size !== (long?.recordOffset ?? end))
    throw badZip('its directory is not where its end record says');
  if (place.entries > MAX_ENTRIES || place.size > MAX_DIRECTORY_BYTES) {
    throw new CheckpointError('too-large', `a zip of ${place.entries} members, which no checkpoint has`);
  }
  return place;
}

/** The end record is the last thing in the file but for a comment, whose text may look like an end record as well. */
function findEnd(file: ByteFile): number {
  const length = Math.min(file.size, END_BYTES + MAX_COMMENT_BYTES);
  const tail = file.read(file.size - length, length);
  for (let at = length - END_BYTES; at >= 0; at--) {
    const isEnd = tail[at] === 0x50 && tail.readUInt32LE(at) === END;
    if (isEnd && at + END_BYTES + tail.readUInt16LE(at + 20) === length) return file.size - length + at;
  }
  if (tail.includes('PK\u0005\u0006', 0, 'latin1')) {
    throw badZip('something stands behind its end that is no part of it');
  }
  throw new CheckpointError(
    'truncated',
    'the file begins as a zip archive but has no directory at its end: the download was cut off, start it again',
  );
}

function findZip64(file: ByteFile, end: number): (DirectoryPlace & { readonly recordOffset: number }) | undefined {
  const locatorOffset = end - ZIP64_LOCATOR_BYTES;
  if (locatorOffset < ZIP64_END_BYTES) return undefined;
  const locator = file.read(locatorOffset, ZIP64_LOCATOR_BYTES);
  if (locator.readUInt32LE(0) !== ZIP64_LOCATOR) return undefined;
  const recordOffset = readSafe(locator, 8);
  if (recordOffset > locatorOffset - ZIP64_END_BYTES) throw badZip('its zip64 end record is out of place');
  const record = file.read(recordOffset, ZIP64_END_BYTES);
  if (record.readUInt32LE(0) !== ZIP64_END || recordOffset + 12 + readSafe(record, 4) !== locatorOffset) {
    throw badZip('its zip64 end record is broken');
  }
  return { recordOffset, entries: readSafe(record, 32), size: readSafe(record, 40), offset: readSafe(record, 48) };
}

type DirectoryRecord = Omit<ZipEntry, 'limit'>;

function parseDirectory(directory: Buffer, count: number): DirectoryRecord[] {
  const records: DirectoryRecord[] = [];
  let at = 0;
  while (at < directory.length) {
    if (at + DIRECTORY_ENTRY_BYTES > directory.length || directory.readUInt32LE(at) !== DIRECTORY_ENTRY) {
      throw badZip(`its directory is damaged at entry ${records.length}`);
    }
    const lengths = [28, 30, 32].map((field) => directory.readUInt16LE(at + field));
    const end = lengths.reduce((sum, length) => sum + length, at + DIRECTORY_ENTRY_BYTES);
    if (end > directory.length) throw badZip(`its directory is cut off at entry ${records.length}`);
    records.push(parseRecord(directory.subarray(at, end)));
    at = end;
  }
  if (records.length !== count) throw badZip(`its end record counts ${count} members, its directory ${records.length}`);
  return records;
}

function parseRecord(record: Buffer): DirectoryRecord {
  const nameEnd = DIRECTORY_ENTRY_BYTES + record.readUInt16LE(28);
  const name = decodeName(record.subarray(DIRECTORY_ENTRY_BYTES, nameEnd));
  const flags = record.readUInt16LE(8);
  if ((flags & UNREADABLE_FLAGS) !== 0) throw badZip(`${quoted(name)} is encrypted`);
  const long = zip64Fields(record.subarray(nameEnd, nameEnd + record.readUInt16LE(30)));
  // The extra field holds, in this order, what did not fit into 32 bits.
  const widened = (field: number): number => {
    const value = record.readUInt32LE(field);
    return value === IN_ZIP64_32 ? (long.shift() ?? value) : value;
  };
  const size = widened(24);
  const compressedSize = widened(20);
  const headerOffset = widened(42);
  return {
    name,
    flags,
    method: record.readUInt16LE(10),
    crc32: record.readUInt32LE(16),
    compressedSize,
    size,
    headerOffset,
  };
}

/** The 64-bit values of the zip64 extra field (header id 1), in their order. */
export function zip64Fields(extra: Buffer): number[] {
  for (let at = 0; at + 4 <= extra.length;) {
    const end = at + 4 + extra.readUInt16LE(at + 2);
    if (end > extra.length) break;
    if (extra.readUInt16LE(at) === 1) {
      const count = Math.min(3, Math.floor((end - at - 4) / 8));
      return Array.from({ length: count }, (_, i) => readSafe(extra, at + 4 + 8 * i));
    }
    at = end;
  }
  return [];
}

function decodeName(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new CheckpointError('bad-zip', 'broken zip archive: the name of a member is not UTF-8', { cause });
  }
}

function readSafe(buffer: Buffer, at: number): number {
  const value = buffer.readBigUInt64LE(at);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw badZip(`an offset or size of ${value.toString()} bytes`);
  return Number(value);
}

/** The error of a damaged archive; `detail` says what is wrong with it. */
export function badZip(detail: string): CheckpointError {
  return new CheckpointError('bad-zip', `broken zip archive: ${detail}. Download the file again`);
}
