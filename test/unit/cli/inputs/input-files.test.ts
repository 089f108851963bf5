import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { findInputs, inputFiles } from '../../../../app/cli/inputs/input-files.ts';
import { leftOutLines } from '../../../../app/cli/inputs/left-out.ts';
import type { TemporaryFolder } from '../../../support/temporary-folder.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

describe('the images that a command line means', () => {
  let folder: TemporaryFolder;

  beforeEach(async () => {
    folder = await temporaryFolder();
    for (const name of ['a.png', 'B.JPG', 'c.txt', 'photo[1].webp', 'sub/a.png', 'sub/deep/d.tif', '.hidden/e.png']) {
      await mkdir(dirname(join(folder.path, name)), { recursive: true });
      await writeFile(join(folder.path, name), '');
    }
  });

  afterEach(() => folder.remove());

  const at = (name: string): string => join(folder.path, name);
  const found = async (...inputs: string[]): Promise<string[]> => {
    const files = await inputFiles(inputs.map((input) => join(folder.path, input)));
    return files.map(({ path, relativePath }) => `${relative(folder.path, path)} as ${relativePath}`);
  };

  it('are files by their names, whatever they are called', async () => {
    expect(await found('c.txt', 'photo[1].webp')).toEqual(['c.txt as c.txt', 'photo[1].webp as photo[1].webp']);
  });

  it('are the images in a folder, to the bottom, in an order that does not change', async () => {
    expect(await found('.')).toEqual([
      'B.JPG as B.JPG',
      'a.png as a.png',
      'photo[1].webp as photo[1].webp',
      'sub/a.png as sub/a.png',
      'sub/deep/d.tif as sub/deep/d.tif',
    ]);
  });

  it('are the images that a pattern matches', async () => {
    expect(await found('*.png')).toEqual(['a.png as a.png']);
    expect(await found('**/*.{png,jpg}')).toEqual(['B.JPG as B.JPG', 'a.png as a.png', 'sub/a.png as a.png']);
    expect(await found('*')).not.toContain('c.txt as c.txt');
  });

  it('are none twice', async () => {
    expect(await found('sub/a.png', 'sub', '**/a.png')).toEqual([
      'sub/a.png as a.png',
      'sub/deep/d.tif as deep/d.tif',
      'a.png as a.png',
    ]);
  });

  it('are told from what is left out of a folder, which is named with its reason', async () => {
    for (const name of ['.DS_Store', 'sub/e.PSD', 'noending', 'f.jpe', 'g.apng']) await writeFile(at(name), '');
    await symlink('gone.png', at('lost.png'));
    const { files, leftOut } = await findInputs([folder.path]);
    expect(files.map(({ relativePath }) => relativePath)).toEqual(
      expect.arrayContaining(['a.png', 'f.jpe', 'g.apng', 'sub/deep/d.tif']),
    );
    const told = leftOut.map(({ path, reason }) => `${relative(folder.path, path)} ${reason}`).sort();
    expect(told).toEqual([
      '.hidden hidden',
      'c.txt not_read',
      'lost.png unreadable',
      'noending not_read',
      'sub/e.PSD not_read',
    ]);
    expect(leftOutLines(leftOut)).toEqual([
      expect.stringMatching(
        /^left out, 3 of kinds that are not read \(1 TXT, 1 without an ending, 1 PSD\): .*c\.txt, /,
      ),
      `left out, 1 hidden: ${at('.hidden')}`,
      `left out, 1 that cannot be read: ${at('lost.png')}`,
    ]);
    await mkdir(at('phone'));
    for (const name of ['1', '2', '3', '4']) await writeFile(at(`phone/${name}.bmp`), '');
    await expect(findInputs([at('phone')])).rejects.toThrow(
      /phone: no image that is read \(left out, 4 of kinds that are not read \(4 BMP\): .*3\.bmp and 1 more\)/,
    );
    expect((await findInputs([at('phone')], { mayBeEmpty: true })).leftOut).toHaveLength(4);
  });

  it('are searched for through links, each folder once, and links that loop are told', async () => {
    await symlink('..', at('sub/loop'));
    await symlink('sub', at('another'));
    await symlink('a.png', at('link.png'));
    const { files, leftOut } = await findInputs([folder.path]);
    expect(files.map(({ relativePath }) => relativePath)).toEqual([
      ...['B.JPG', 'a.png', 'link.png', 'photo[1].webp', 'sub/a.png', 'sub/deep/d.tif'],
    ]);
    const loops = leftOut.filter(({ reason }) => reason === 'loop').map(({ path }) => relative(folder.path, path));
    expect(loops).toEqual(['another', 'sub/loop']);
    const outside = await temporaryFolder();
    await writeFile(join(outside.path, 'far.png'), '');
    await symlink(outside.path, at('sub/far'));
    expect((await inputFiles([at('sub')])).map(({ relativePath }) => relativePath)).toContain('far/far.png');
    await outside.remove();
  });

  it('are some: what means nothing is named', async () => {
    await expect(found('a.png', 'nothing.png')).rejects.toThrow(/nothing\.png: no such file, and no image matches it/);
    await expect(found('*.gif')).rejects.toMatchObject({ code: 'ERR_USAGE' });
    await mkdir(join(folder.path, 'empty'));
    await expect(found('empty')).rejects.toThrow(/empty: no image is in it$/);
  });
});
