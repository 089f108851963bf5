import { mkdir, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { InputFile } from '../../../app/cli/inputs/input-files.ts';
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
    outputPlan(files, at(target), {
      ...{ suffix: '_upscaled', format: 'auto', mayOverwrite: false, skipsFinished: false },
      ...flags,
    });
  /** Paths; of inputs that have none, what their result is there as, or why they have none. */
  const places = async (...asked: Parameters<typeof plan>): Promise<readonly unknown[]> => {
    const { places } = await plan(...asked);
    return places.map((place) =>
      'path' in place ? place.path : 'finished' in place ? `finished ${place.finished}` : place.refusal.message,
    );
  };

  it('is the file that one input and an image extension name, in the format of that extension', async () => {
    expect(await plan(inputs('a.jpg'), 'deep/b.webp')).toEqual({
      places: [{ path: { outputStem: at('deep/b'), outputFile: at('deep/b.webp') } }],
      format: 'webp',
    });
    expect((await plan(inputs('a.jpg'), 'b.JPEG', { format: 'jpeg' })).format).toBe('jpeg');
    expect((await plan(inputs('a.jpg'), 'b.jpe')).format).toBe('jpeg');
  });

  it('is a folder for several inputs, for any other name, and for a folder that is called like an image', async () => {
    for (const name of ['x.png', 'old.v2']) await mkdir(at(name));
    expect(await places(inputs('a.jpg', 'b.jpg'), 'out.png')).toEqual([
      { outputStem: at('out.png/a_upscaled') },
      { outputStem: at('out.png/b_upscaled') },
    ]);
    for (const name of ['results', 'results-1.5', 'old.v2', 'x.png']) {
      expect(await places(inputs('a.jpg'), name)).toEqual([{ outputStem: at(`${name}/a_upscaled`) }]);
    }
    for (const name of ['new.v2', 'new.tga']) {
      expect(await places(inputs('a.jpg'), `${name}/`)).toEqual([{ outputStem: at(`${name}/a_upscaled`) }]);
    }
  });

  it('keeps the tree of a folder that was named, and whatever suffix there is', async () => {
    const files = inputs('a.jpg', 'sub/a.jpg', 'b.tar.png');
    const stems = async (suffix: string) =>
      (await places(files, 'out', { suffix })).map((path) => (path as { outputStem: string }).outputStem);
    expect(await stems('')).toEqual([at('out/a'), at('out/sub/a'), at('out/b.tar')]);
    expect(await stems('.4x')).toEqual([at('out/a.4x'), at('out/sub/a.4x'), at('out/b.tar.4x')]);
    await expect(plan(files, 'out', { suffix: '/../../x' })).rejects.toThrow(/--suffix.*got '\/\.\.\/\.\.\/x'/);
  });

  it('is not one place for two results: the second fails, and no other', async () => {
    const alike: InputFile[] = ['one', 'two'].map((dir) => ({ path: `/in/${dir}/a.png`, relativePath: 'a.png' }));
    expect(await places([...alike, ...inputs('b.png')], 'out')).toEqual([
      { outputStem: at('out/a_upscaled') },
      expect.stringMatching(/one\/a\.png and .*two\/a\.png would both become .*a_upscaled\.png: run them separately/),
      { outputStem: at('out/b_upscaled') },
    ]);
    const refused = async (...asked: Parameters<typeof plan>) =>
      (await places(...asked)).filter((place) => typeof place === 'string');
    expect(await refused(inputs('a.png', 'a.jpg'), 'out')).toEqual([]);
    expect(await refused(inputs('a.png', 'a.jpg', 'a.gif'), 'out', { format: 'webp' })).toHaveLength(2);
    expect(await refused(inputs('a.png', 'a.gif'), 'out')).toEqual([expect.stringMatching(/both become/)]);
    const claimed = new Map([[at('out/a_upscaled.png'), '/in/before/a.png']]);
    expect(await refused(inputs('a.png', 'b.png'), 'out', { claimed })).toEqual([
      expect.stringMatching(/before\/a\.png and \/in\/a\.png would both/),
    ]);
  });

  it('is nothing that is there, unless it may be replaced, and a link that leads nowhere is there', async () => {
    await mkdir(at('out'));
    for (const name of ['a.png', 'out/a_upscaled.png', 'out/b_upscaled.jpg']) await writeFile(at(name), 'mine');
    await symlink('gone', at('out/c_upscaled.jpg'));
    const taken = expect.stringMatching(/this file already exists; .*--overwrite/);
    expect(await places(inputs('a.png'), 'a.png')).toEqual([taken]);
    const files = inputs('a.png', 'b.jpg', 'c.jpg', 'd.jpg');
    expect(await places(files, 'out')).toEqual([taken, taken, taken, { outputStem: at('out/d_upscaled') }]);
    expect(await places(files, 'out', { mayOverwrite: true })).toEqual(
      ['a', 'b', 'c', 'd'].map((name) => ({ outputStem: at(`out/${name}_upscaled`) })),
    );
    await mkdir(at('out/e_upscaled.png'));
    expect(await places(inputs('e.png'), 'out', { mayOverwrite: true })).toEqual([
      expect.stringMatching(/there is a folder of that name/),
    ]);
  });

  it('is left alone where the result is there and no older, whatever format auto made of it', async () => {
    const picture = (name: string): InputFile => ({ path: at(name), relativePath: name });
    const at0 = new Date(1_700_000_000_000);
    const later = new Date(1_700_000_001_000);
    const write = async (name: string, time: Date, text = 'x'): Promise<void> => {
      await writeFile(at(name), text);
      await utimes(at(name), time, time);
    };
    await mkdir(at('out'));
    for (const name of ['same.png', 'newer.png', 'empty.png', 'none.png', 'big.jpg', 'big.png']) await write(name, at0);
    await write('older.png', later);
    await write('misnamed.jpg', at0, '\x89PNG\r\n\x1a\n');
    await write('out/same_upscaled.png', at0);
    await write('out/newer_upscaled.png', later);
    await write('out/older_upscaled.png', at0);
    await write('out/empty_upscaled.png', later, '');
    await write('out/misnamed_upscaled.png', later);
    await write('out/big_upscaled.png', later);
    const names = ['same.png', 'newer.png', 'older.png', 'empty.png', 'none.png', 'misnamed.jpg', 'big.jpg', 'big.png'];
    const plan = (flags: Partial<OutputFlags>) => places(names.map(picture), 'out', { skipsFinished: true, ...flags });
    const finished = (name: string) => `finished ${at(`out/${name}_upscaled.png`)}`;
    const asked = (name: string) => ({ outputStem: at(`out/${name}_upscaled`) });
    const taken = expect.stringMatching(/this file already exists/);
    expect(await plan({})).toEqual([
      ...[finished('same'), finished('newer'), taken, taken, asked('none'), finished('misnamed')],
      ...[asked('big'), finished('big')], // the PNG is the other's
    ]);
    expect(await plan({ mayOverwrite: true })).toEqual([
      ...[finished('same'), finished('newer'), asked('older'), asked('empty'), asked('none'), finished('misnamed')],
      ...[asked('big'), finished('big')],
    ]);
    expect(await places([picture('big.jpg')], 'out', { skipsFinished: true })).toEqual([finished('big')]);
    expect(await places([picture('big.jpg')], 'out', { skipsFinished: true, format: 'jpeg' })).toEqual([asked('big')]);
  });

  it('must make sense', async () => {
    await writeFile(at('notes.txt'), 'mine');
    await expect(plan(inputs('a.png'), 'b.jpg', { format: 'png' })).rejects.toThrow(/--format png contradicts.*\.png/);
    for (const name of ['b.gif', 'b.tga', 'b.xyz', 'b.v2', 'b.apng', 'b.heic']) {
      await expect(plan(inputs('a.png'), name)).rejects.toThrow(
        new RegExp(
          `${name.slice(2).toUpperCase()} cannot be written.*png, jpg, webp, avif, tiff, or a folder: .*${name}/`,
        ),
      );
    }
    await expect(plan(inputs('a.png'), 'notes.txt')).rejects.toThrow(/expected a folder.*notes\.txt is a file/);
    await expect(plan(inputs('a.png', 'b.png'), 'notes.txt')).rejects.toThrow(/folder for 2 results/);
    await expect(
      outputPlan(inputs('a.png'), '', { suffix: '', format: 'auto', mayOverwrite: false, skipsFinished: false }),
    ).rejects.toThrow(/--output: expected a file or a folder, got an empty text/);
  });
});
