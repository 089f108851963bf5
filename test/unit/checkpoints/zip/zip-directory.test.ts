import { describe, expect, it } from '@jest/globals';
import { ByteFile } from '../../../../app/checkpoints/byte-file.ts';
import { readZipDirectory } from '../../../../app/checkpoints/zip/zip-directory.ts';
import { locateMember, readMember } from '../../../../app/checkpoints/zip/zip-member.ts';
import type { ZipMember } from '../../../support/checkpoints/checkpoint-writer.ts';
import { zipArchive } from '../../../support/checkpoints/checkpoint-writer.ts';
import { refusalOf } from '../refusal.ts';
import { scratchFolder } from '../scratch-folder.ts';
import { cpuSecondsOf } from '../../../support/cpu-seconds.ts';

const scratch = scratchFolder();

const MEMBERS: readonly ZipMember[] = [
  ['a/data.pkl', Buffer.from('pickle')],
  ['a/data/0', Buffer.alloc(100, 7)],
  ['a/é', Buffer.alloc(0)],
];

const archive = (members = MEMBERS) => Buffer.concat([...zipArchive(members)]);

/** Reads all members of an archive, and what is in them. */
function readAll(bytes: Uint8Array): Map<string, string> {
  return ByteFile.with(scratch.write('archive', bytes), (file) => {
    const entries = [...readZipDirectory(file)];
    return new Map(entries.map(([name, entry]) => [name, readMember(file, entry, 1000).toString('latin1')]));
  });
}

/** The archive with some bytes changed; `at` gives their place. */
function patched(at: (bytes: Buffer) => number, ...values: number[]): Buffer {
  const bytes = archive();
  bytes.set(values, at(bytes));
  return bytes;
}

const LOCAL = 'PK\u0003\u0004';
const DESCRIPTOR = 'PK\u0007\u0008';
const CENTRAL = 'PK\u0001\u0002';
const ZIP64_END = 'PK\u0006\u0006';
const END = 'PK\u0005\u0006';
/** The place of a field of the first record of a kind. */
const field = (signature: string, offset: number) => (bytes: Buffer) => bytes.indexOf(signature, 0, 'latin1') + offset;

describe('a zip archive', () => {
  it('as torch writes it is read member by member', () => {
    const expected = MEMBERS.map(([name, contents]) => [name, Buffer.from(contents).toString('latin1')] as const);
    expect(readAll(archive())).toEqual(new Map(expected));
  });

  it('gives places in the file where the contents lie as they are', () => {
    const bytes = archive();
    ByteFile.with(scratch.write('archive', bytes), (file) => {
      const entry = readZipDirectory(file).get('a/data/0');
      if (entry === undefined) throw new Error('a/data/0');
      const offset = locateMember(file, entry);
      expect(offset % 64).toBe(0);
      expect(bytes.subarray(offset, offset + 100).equals(Buffer.alloc(100, 7))).toBe(true);
    });
  });

  it('may have a comment, even one that looks like an end record', () => {
    const bytes = archive();
    const comment = Buffer.from(`${END} a comment of an end record's length`, 'latin1');
    bytes.writeUInt16LE(comment.length, bytes.length - 2);
    expect(readAll(Buffer.concat([bytes, comment])).size).toBe(3);
  });

  it('may have no members', () => {
    expect(readAll(archive([]))).toEqual(new Map());
  });

  it.each([
    ['cut off', archive().subarray(0, -30), 'truncated'],
    ['followed by something', Buffer.concat([archive(), Buffer.from('!')]), 'bad-zip'],
    ['preceded by something', Buffer.concat([Buffer.from('!'), archive()]), 'bad-zip'],
    ['with a member twice', archive([...MEMBERS, ['a/data/0', Buffer.alloc(1)]]), 'duplicate-entry'],
    ['of another count of members', patched(field(END, 10), 2), 'bad-zip'],
    ['whose zip64 record differs', patched(field(ZIP64_END, 32), 4), 'bad-zip'],
    ['whose zip64 record is longer', patched(field(ZIP64_END, 4), 45), 'bad-zip'],
    ['whose directory lies elsewhere', patched(field(END, 16), 1), 'bad-zip'],
    ['whose directory is damaged', patched(field(CENTRAL, 0), 0), 'bad-zip'],
    ['with an endless name', patched(field(CENTRAL, 28), 0xff, 0xff), 'bad-zip'],
    ['with a name that is not UTF-8', patched(field(CENTRAL, 46), 0xff), 'bad-zip'],
    ['that is encrypted', patched(field(CENTRAL, 8), 0x09), 'bad-zip'],
    ['with a compressed member', patched(field(CENTRAL, 10), 8), 'compressed-entry'],
    ['with a size beyond the next member', patched(field(CENTRAL, 20), 0, 0, 1), 'bad-zip'],
    ['with a size that ends in the next header', patched(field(CENTRAL, 20), 30, 0, 0, 0, 30), 'bad-zip'],
    ['with members that share a header', patched(field(CENTRAL, 42), 200), 'bad-zip'],
    ['with two sizes for one member', patched(field(CENTRAL, 24), 5), 'bad-zip'],
    ['with another checksum', patched(field(CENTRAL, 16), 1), 'bad-zip'],
    ['with damaged contents', patched((bytes) => bytes.indexOf('pickle'), 0), 'bad-crc'],
    ['with a damaged local header', patched(field(LOCAL, 0), 0), 'bad-zip'],
    ['with a local header of another name', patched(field(LOCAL, 30), 0x62), 'bad-zip'],
    ['with a local header of another method', patched(field(LOCAL, 8), 8), 'bad-zip'],
    ['with a local header of other flags', patched(field(LOCAL, 6), 0), 'bad-zip'],
    ['with a local header of another size', patched(field(LOCAL, 18), 1), 'bad-zip'],
    ['with a local header that reaches into the next member', patched(field(LOCAL, 28), 0xff), 'bad-zip'],
    ['with a lying descriptor', patched(field(DESCRIPTOR, 8), 5), 'bad-zip'],
  ])('%s is refused', (_name, bytes, kind) => {
    expect(refusalOf(() => readAll(bytes)).kind).toBe(kind);
  });

  it('has members that are read up to a limit only', () => {
    const bytes = archive([['big', Buffer.alloc(1001)]]);
    expect(refusalOf(() => readAll(bytes)).kind).toBe('too-large');
  });

  it('may leave its checksums out', () => {
    const bytes = archive([['a', Buffer.from('contents')]]);
    bytes.fill(0, field(CENTRAL, 16)(bytes), field(CENTRAL, 20)(bytes));
    bytes.fill(0, field(DESCRIPTOR, 4)(bytes), field(DESCRIPTOR, 8)(bytes));
    expect(readAll(bytes)).toEqual(new Map([['a', 'contents']]));
  });

  it('of 20,000 members is read in less than two seconds of CPU time', () => {
    const bytes = archive(Array.from({ length: 20_000 }, (_, i): ZipMember => [`a/data/${i}`, Buffer.alloc(1)]));
    const file = scratch.write('many', bytes);
    expect(cpuSecondsOf(() => expect(ByteFile.with(file, readZipDirectory).size).toBe(20_000))).toBeLessThan(2);
  });
});
