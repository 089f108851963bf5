import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { inputFiles } from '../../../app/cli/input-files.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

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

  it('are some: what means nothing is named', async () => {
    await expect(found('a.png', 'nothing.png')).rejects.toThrow(/nothing\.png: no such file, and no image matches it/);
    await expect(found('*.gif')).rejects.toMatchObject({ code: 'ERR_USAGE' });
    await mkdir(join(folder.path, 'empty'));
    await expect(found('empty')).rejects.toThrow(/empty: /);
  });
});
