import { crc32 } from 'node:zlib';
import type { ByteFile } from '../byte-file.ts';
import { CheckpointError, quoted } from '../errors.ts';
import type { ZipEntry } from './zip-directory.ts';
import { badZip, zip64Fields } from './zip-directory.ts';

const LOCAL_HEADER = 0x04034b50;
const LOCAL_HEADER_BYTES = 30;
const DESCRIPTOR = 0x08074b50;
const DESCRIPTOR_BYTES = 24;
/** Sizes and checksum follow the data instead of standing in the local header. */
const HAS_DESCRIPTOR = 0x0008;
const IN_ZIP64_32 = 0xffffffff;
const STORED = 0;

/**
 * File offset of a member's first byte, after checking that the local header agrees with the directory and that the member
 * is stored uncompressed: its bytes in the file are its contents.
 * @throws CheckpointError
 */
export function locateMember(file: ByteFile, entry: ZipEntry): number {
  if (entry.method !== STORED) {
    throw new CheckpointError(
      'compressed-entry',
      `${quoted(entry.name)} is compressed; torch.save stores. Unpack and pack it again without compression (zip -0)`,
    );
  }
  const name = Buffer.from(entry.name);
  const header = file.read(entry.headerOffset, LOCAL_HEADER_BYTES + name.length);
  const isSame =
    header.readUInt32LE(0) === LOCAL_HEADER &&
    header.readUInt16LE(6) === entry.flags &&
    header.readUInt16LE(8) === entry.method &&
    header.subarray(LOCAL_HEADER_BYTES).equals(name) &&
    header.readUInt16LE(26) === name.length;
  if (!isSame) throw badZip(`the header of ${quoted(entry.name)} differs from the directory's`);
  const extraOffset = entry.headerOffset + header.length;
  const dataOffset = extraOffset + header.readUInt16LE(28);
  if (entry.size !== entry.compressedSize || dataOffset + entry.size > entry.limit) {
    throw badZip(`${quoted(entry.name)} is longer than its place`);
  }
  const hasDescriptor = (entry.flags & HAS_DESCRIPTOR) !== 0;
  checkLocalSizes(header, entry, { hasDescriptor, extra: () => file.read(extraOffset, dataOffset - extraOffset) });
  if (hasDescriptor) checkDescriptor(file, entry, dataOffset + entry.size);
  return dataOffset;
}

/**
 * The contents of a small member.
 * @throws CheckpointError `bad-crc` where they are not what was written, `too-large` above `limit` bytes.
 */
export function readMember(file: ByteFile, entry: ZipEntry, limit: number): Buffer {
  if (entry.size > limit) {
    throw new CheckpointError(
      'too-large',
      `${quoted(entry.name)} takes ${entry.size} bytes; at most ${limit} are read`,
    );
  }
  const contents = file.read(locateMember(file, entry), entry.size);
  // torch.serialization.set_crc32_options(False) leaves all of them at 0.
  if (entry.crc32 !== 0 && crc32(contents) !== entry.crc32) {
    throw new CheckpointError(
      'bad-crc',
      `${quoted(entry.name)} is damaged (its checksum differs): download the file again`,
    );
  }
  return contents;
}

interface LocalContext {
  readonly hasDescriptor: boolean;
  readonly extra: () => Buffer;
}

/** Checksum and sizes as in the directory; with a descriptor they may be 0. */
function checkLocalSizes(header: Buffer, entry: ZipEntry, context: LocalContext): void {
  const crc = header.readUInt32LE(14);
  const compressedSize = header.readUInt32LE(18);
  const size = header.readUInt32LE(22);
  if (context.hasDescriptor && crc === 0 && isEither(compressedSize, 0) && isEither(size, 0)) return;
  const long = compressedSize === IN_ZIP64_32 || size === IN_ZIP64_32 ? zip64Fields(context.extra()) : [];
  const realSize = size === IN_ZIP64_32 ? long.shift() : size;
  const realCompressedSize = compressedSize === IN_ZIP64_32 ? long.shift() : compressedSize;
  if (crc !== entry.crc32 || realSize !== entry.size || realCompressedSize !== entry.compressedSize) {
    throw badZip(`the header of ${quoted(entry.name)} gives another size or checksum than the directory`);
  }
}

function isEither(value: number, expected: number): boolean {
  return value === expected || value === IN_ZIP64_32;
}

/** Four spellings are in use: with or without a signature, sizes of 32 or 64 bits. */
function checkDescriptor(file: ByteFile, entry: ZipEntry, at: number): void {
  const bytes = file.read(at, Math.min(DESCRIPTOR_BYTES, entry.limit - at));
  const expected = [32, 64].flatMap((bits) => [true, false].map((signed) => descriptor(entry, bits, signed)));
  if (!expected.some((wanted) => bytes.subarray(0, wanted.length).equals(wanted))) {
    throw badZip(`the record after ${quoted(entry.name)} gives another size or checksum than the directory`);
  }
}

function descriptor(entry: ZipEntry, bits: number, isSigned: boolean): Buffer {
  const sizeBytes = bits / 8;
  const out = Buffer.alloc(8 + 2 * sizeBytes);
  out.writeUInt32LE(DESCRIPTOR, 0);
  out.writeUInt32LE(entry.crc32, 4);
  [entry.compressedSize, entry.size].forEach((size, i) => {
    const at = 8 + i * sizeBytes;
    if (bits === 64) out.writeBigUInt64LE(BigInt(size), at);
    else out.writeUInt32LE(size % 2 ** 32, at);
  });
  return isSigned ? out : out.subarray(4);
}
