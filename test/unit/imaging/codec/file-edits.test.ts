import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { editFile, readBytes } from '../../../../app/imaging/codec/file-edits.ts';
import type { TemporaryFolder } from '../../../support/temporary-folder.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

describe('Editing a file', () => {
  let folder: TemporaryFolder;
  let file: string;

  beforeEach(async () => {
    folder = await temporaryFolder();
    file = join(folder.path, 'a');
    writeFileSync(file, 'abcdefghij');
  });
  afterEach(() => folder.remove());

  const edit = (at: number, remove: number, insert: string) => ({ at, remove, insert: Buffer.from(insert) });

  it('inserts, removes and replaces, counted by the places of the file as it was', () => {
    editFile(file, [edit(0, 0, '<'), edit(2, 3, 'X'), edit(7, 0, '123'), edit(10, 0, '>')]);
    expect(readFileSync(file, 'utf8')).toBe('<abXfg123hij>');
    expect(readdirSync(folder.path)).toEqual(['a']);
  });

  it('stays in place where nothing moves', () => {
    const before = statSync(file).ino;
    editFile(file, [edit(1, 2, 'BC'), edit(10, 0, 'klm')]);
    expect([readFileSync(file, 'utf8'), statSync(file).ino]).toEqual(['aBCdefghijklm', before]);
  });

  it('handles files of many megabytes in pieces', () => {
    const large = Buffer.alloc(5_000_001, 'x');
    writeFileSync(file, large);
    editFile(file, [edit(3_000_000, 1, 'yz')]);
    const edited = readFileSync(file);
    expect([edited.length, edited.indexOf('yz'), edited.lastIndexOf('x')]).toEqual([5_000_002, 3_000_000, 5_000_001]);
  });

  it('does nothing without edits', () => {
    const before = statSync(file).mtimeMs;
    editFile(file, []);
    expect(statSync(file).mtimeMs).toBe(before);
  });

  it('reads what there is', () => {
    expect(readBytes(file, 8, 10).toString()).toBe('ij');
  });
});
