import { existsSync } from 'node:fs';
import { chmod, lstat, mkdir, readFile, readlink, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { putInPlace } from '../../../app/files/put-in-place.ts';
import { mountSmallDisk } from '../../support/small-disk.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

describe('A finished file that is put in its place', () => {
  let folder: TemporaryFolder;
  const at = (name: string): string => join(folder.path, name);
  const modeOf = async (name: string): Promise<number> => (await stat(at(name))).mode & 0o777;

  beforeEach(async () => {
    folder = await temporaryFolder();
    await writeFile(at('finished'), 'new', { mode: 0o644 });
  });
  afterEach(() => folder.remove());

  it('lies there, and nowhere else', async () => {
    await putInPlace(at('finished'), at('target'));
    expect([await folder.files(), await readFile(at('target'), 'utf8')]).toEqual([['target'], 'new']);
  });

  it('keeps the permissions of the file that it replaces', async () => {
    await writeFile(at('target'), 'old');
    await chmod(at('target'), 0o600);
    await putInPlace(at('finished'), at('target'));
    expect([await readFile(at('target'), 'utf8'), await modeOf('target')]).toEqual(['new', 0o600]);
  });

  it('goes where links lead, over several and into another folder, and leaves the links', async () => {
    await mkdir(at('far'));
    await writeFile(at('far/real'), 'old');
    await chmod(at('far/real'), 0o640); // a mode that is asked for at once gives way to the process's mask
    await symlink('far/second', at('first'));
    await symlink('real', at('far/second'));
    await putInPlace(at('finished'), at('first'));
    expect((await lstat(at('first'))).isSymbolicLink()).toBe(true);
    expect([await readlink(at('far/second')), await readFile(at('far/real'), 'utf8')]).toEqual(['real', 'new']);
    expect(await modeOf('far/real')).toBe(0o640);
  });

  it('is made where a link leads to nothing yet', async () => {
    await symlink('later', at('link'));
    await putInPlace(at('finished'), at('link'));
    expect([(await lstat(at('link'))).isSymbolicLink(), await readFile(at('later'), 'utf8')]).toEqual([true, 'new']);
  });

  it('is refused by links that lead in a circle', async () => {
    await symlink('b', at('a'));
    await symlink('a', at('b'));
    await expect(putInPlace(at('finished'), at('a'))).rejects.toMatchObject({ code: 'ELOOP' });
    expect(existsSync(at('finished'))).toBe(true);
  });

  const disk = mountSmallDisk(1 << 16);
  (disk ? it : it.skip)('crosses to another disk as a whole (needs root, to mount one)', async () => {
    try {
      const there = join(disk?.directory ?? '', 'there');
      await writeFile(there, 'old', { mode: 0o600 });
      await symlink(there, at('link'));
      await putInPlace(at('finished'), at('link'));
      expect([await readFile(there, 'utf8'), (await stat(there)).mode & 0o777]).toEqual(['new', 0o600]);
      expect(await folder.files()).toEqual(['link']);
    } finally {
      disk?.unmount();
    }
  });
});
