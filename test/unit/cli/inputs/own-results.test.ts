import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { findInputs } from '../../../../app/cli/inputs/input-files.ts';
import { withoutOwnResults } from '../../../../app/cli/inputs/own-results.ts';
import type { TemporaryFolder } from '../../../support/temporary-folder.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

describe('results of earlier runs', () => {
  let folder: TemporaryFolder;
  const at = (name: string): string => join(folder.path, name);

  beforeEach(async () => {
    folder = await temporaryFolder();
    for (const name of ['a.png', 'a_upscaled.jpg', 'old_upscaled.png', '_upscaled.png', 'sub/b.png', 'big/c.png']) {
      await mkdir(dirname(at(name)), { recursive: true });
      await writeFile(at(name), '');
    }
  });
  afterEach(() => folder.remove());

  /** The files that are taken, from those that `inputs` mean. */
  async function taken(inputs: readonly string[], target: string, suffix = '_upscaled'): Promise<readonly string[]> {
    const found = await findInputs(inputs.map(at));
    const { files, leftOut } = await withoutOwnResults(found, { folder: at(target), suffix });
    const results = leftOut.filter(({ reason }) => reason === 'result');
    expect(files.length + results.length).toBe(found.files.length);
    return files.map(({ path }) => relative(folder.path, path));
  }

  it('are what bears the suffix, where results go to the folder that is searched', async () => {
    expect(await taken(['.'], '.')).toEqual(['_upscaled.png', 'a.png', 'big/c.png', 'sub/b.png']);
    expect(await taken(['*.png'], '.')).toEqual(['_upscaled.png', 'a.png']);
  });

  it('are, where results go elsewhere, those that lie beside their pictures', async () => {
    const others = ['_upscaled.png', 'a.png', 'big/c.png', 'old_upscaled.png', 'sub/b.png'];
    expect(await taken(['.'], '../elsewhere')).toEqual(others);
    expect(await taken(['.'], '../elsewhere', '')).toHaveLength(6);
  });

  it('are all that lies in a folder of results within the one that is searched, through links too', async () => {
    const others = ['_upscaled.png', 'a.png', 'old_upscaled.png', 'sub/b.png'];
    expect(await taken(['.'], 'big')).toEqual(others);
    expect(await taken(['.'], 'big', '')).toEqual(['_upscaled.png', 'a.png', 'a_upscaled.jpg', ...others.slice(2)]);
    await symlink(at('big'), `${folder.path}-link`);
    expect(await taken(['.'], `../${relative(dirname(folder.path), folder.path)}-link`)).toEqual(others);
    await rm(`${folder.path}-link`);
    expect(await taken(['big'], 'big')).toEqual(['big/c.png']);
  });

  it('are none that were named themselves', async () => {
    expect(await taken(['a.png', 'a_upscaled.jpg', 'big/c.png'], '.')).toHaveLength(3);
  });
});
