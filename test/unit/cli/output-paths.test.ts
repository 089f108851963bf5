import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { InputFile } from '../../../app/cli/input-files.ts';
import type { OutputFlags } from '../../../app/cli/output-paths.ts';
import { outputPlan } from '../../../app/cli/output-paths.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

describe('where results go', () => {
  let folder: TemporaryFolder;

  beforeEach(async () => {
    folder = await temporaryFolder();
  });

  afterEach(() => folder.remove());

  const inputs = (...paths: string[]): InputFile[] =>
    paths.map((path) => ({ path: join('/in', path), relativePath: path }));
  const at = (name: string): string => join(folder.path, name);
  const plan = (files: readonly InputFile[], target: string, flags: Partial<OutputFlags> = {}) =>
    outputPlan(files, at(target), { suffix: '_upscaled', format: 'auto', mayOverwrite: false, ...flags });

  it('is the file that one input and an image extension name, in the format of that extension', async () => {
    expect(await plan(inputs('a.jpg'), 'deep/b.webp')).toEqual({
      paths: [{ outputStem: at('deep/b'), outputFile: at('deep/b.webp') }],
      format: 'webp',
    });
    expect((await plan(inputs('a.jpg'), 'b.JPEG', { format: 'jpeg' })).format).toBe('jpeg');
  });

  it('is a folder for several inputs, for any other name, and for a folder that is called like an image', async () => {
    await mkdir(at('x.png'));
    expect((await plan(inputs('a.jpg', 'b.jpg'), 'out.png')).paths).toEqual([
      { outputStem: at('out.png/a_upscaled') },
      { outputStem: at('out.png/b_upscaled') },
    ]);
    expect((await plan(inputs('a.jpg'), 'results.v2')).paths).toEqual([{ outputStem: at('results.v2/a_upscaled') }]);
    expect((await plan(inputs('a.jpg'), 'x.png')).paths).toEqual([{ outputStem: at('x.png/a_upscaled') }]);
  });

  it('keeps the tree of a folder that was named, and whatever suffix there is', async () => {
    const files = inputs('a.jpg', 'sub/a.jpg', 'b.tar.png');
    const stems = async (suffix: string) => (await plan(files, 'out', { suffix })).paths.map((path) => path.outputStem);
    expect(await stems('')).toEqual([at('out/a'), at('out/sub/a'), at('out/b.tar')]);
    expect(await stems('.4x')).toEqual([at('out/a.4x'), at('out/sub/a.4x'), at('out/b.tar.4x')]);
    await expect(plan(files, 'out', { suffix: '/../../x' })).rejects.toThrow(/--suffix.*got '\/\.\.\/\.\.\/x'/);
  });

  it('is not one place for two results', async () => {
    const twice: InputFile[] = [
      { path: '/in/one/a.png', relativePath: 'a.png' },
      { path: '/in/two/a.png', relativePath: 'a.png' },
    ];
    await expect(plan(twice, 'out')).rejects.toThrow(
      /one\/a\.png and .*two\/a\.png would both become .*a_upscaled\.png/,
    );
    expect((await plan(inputs('a.png', 'a.jpg'), 'out')).paths).toHaveLength(2);
    await expect(plan(inputs('a.png', 'a.jpg'), 'out', { format: 'webp' })).rejects.toThrow(/both become/);
    await expect(plan(inputs('a.png', 'a.gif'), 'out')).rejects.toThrow(/both become/);
  });

  it('is nothing that is there, unless it may be replaced', async () => {
    await mkdir(at('out'));
    for (const name of ['a.png', 'out/a_upscaled.png', 'out/b_upscaled.jpg']) await writeFile(at(name), 'mine');
    await expect(plan(inputs('a.png'), 'a.png')).rejects.toMatchObject({ code: 'ERR_FILE_EXISTS' });
    await expect(plan(inputs('a.png', 'b.jpg', 'c.jpg'), 'out')).rejects.toThrow(
      /a_upscaled\.png: there is such a file already \(and 1 more of the 3 results\).*--overwrite/,
    );
    expect((await plan(inputs('a.png'), 'a.png', { mayOverwrite: true })).paths).toHaveLength(1);
    expect((await plan(inputs('a.png', 'b.jpg'), 'out', { mayOverwrite: true })).paths).toHaveLength(2);
  });

  it('must make sense', async () => {
    await writeFile(at('notes.txt'), 'mine');
    await expect(plan(inputs('a.png'), 'b.jpg', { format: 'png' })).rejects.toThrow(/--format png contradicts.*\.png/);
    await expect(plan(inputs('a.png'), 'b.gif')).rejects.toThrow(/GIF is not written.*png, jpg, webp, avif, tiff/);
    await expect(plan(inputs('a.png'), 'notes.txt')).rejects.toThrow(/expected a folder.*notes\.txt is a file/);
    await expect(plan(inputs('a.png', 'b.png'), basename('notes.txt'))).rejects.toThrow(/folder for 2 results/);
  });
});
