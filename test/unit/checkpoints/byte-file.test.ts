import { execFileSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { ByteFile } from '../../../app/checkpoints/byte-file.ts';
import { refusalOf } from './refusal.ts';
import { scratchFolder } from './scratch-folder.ts';

const scratch = scratchFolder();
const file = scratch.write('bytes', Buffer.from([0, 1, 2, 3, 4, 5, 6, 7]));

describe('ByteFile', () => {
  it('reads the bytes that were asked for', () => {
    ByteFile.with(file, (bytes) => {
      expect([...bytes.read(2, 3)]).toEqual([2, 3, 4]);
      const target = new Uint8Array(2);
      bytes.readInto(target, 6);
      expect([...target]).toEqual([6, 7]);
    });
  });

  it.each([
    [6, 3],
    [9, 0],
    [-1, 1],
    [0, 2 ** 52],
    [NaN, 1],
    [2 ** 53, 2 ** 53],
  ])('refuses %d + %d, outside of the file, before it allocates', (offset, length) => {
    expect(refusalOf(() => ByteFile.with(file, (bytes) => bytes.read(offset, length))).kind).toBe('truncated');
  });

  it('refuses a missing file and a folder by what they are', () => {
    expect(refusalOf(() => ByteFile.with(scratch.path('missing'), () => 0)).message).toMatch(/ENOENT/);
    expect(refusalOf(() => ByteFile.with(scratch.path('.'), () => 0)).message).toMatch(/folder/);
  });

  const itOnPosix = process.platform === 'win32' ? it.skip : it;
  itOnPosix('refuses a named pipe instead of waiting for a writer', () => {
    const pipe = scratch.path('pipe');
    execFileSync('mkfifo', [pipe]);
    expect(refusalOf(() => ByteFile.with(pipe, () => 0)).kind).toBe('not-a-checkpoint');
  });
});
