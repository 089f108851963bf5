import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { filePairs } from '../../../app/cli/file-pairs.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

describe('filePairs', () => {
  let folder: TemporaryFolder;
  beforeEach(async () => {
    folder = await temporaryFolder();
  });
  afterEach(() => folder.remove());

  /** Which candidate belongs to each reference, and which references have none. */
  const pairing = async (references: readonly string[], candidates: readonly string[]) => {
    for (const [kind, names] of Object.entries({ references, candidates })) {
      await mkdir(join(folder.path, kind));
      for (const name of names) await writeFile(join(folder.path, kind, name), '');
    }
    const below = (kind: string): string => join(folder.path, kind);
    const { pairs, unpaired } = await filePairs(below('references'), below('candidates'));
    return {
      pairs: Object.fromEntries(
        pairs.map(({ name, candidate }) => [name, candidate.slice(below('candidates/').length)]),
      ),
      unpaired: unpaired.map(({ name }) => name),
    };
  };

  it('pairs a folder with the results that our commands put into another', async () => {
    expect(
      await pairing(['a.jpg', 'b.png', 'c.png'], ['a_upscaled.jpg', 'b_restored.webp', 'c_colorized.png']),
    ).toEqual({
      pairs: { 'a.jpg': 'a_upscaled.jpg', 'b.png': 'b_restored.webp', 'c.png': 'c_colorized.png' },
      unpaired: [],
    });
  });

  it('prefers the very same name, then the same but for the extension, then that of a result', async () => {
    const candidates = ['a.png', 'a.webp', 'a_upscaled.png', 'b.webp', 'b_upscaled.png'];
    expect(await pairing(['a.png', 'b.png'], candidates)).toEqual({
      pairs: { 'a.png': 'a.png', 'b.png': 'b.webp' },
      unpaired: [],
    });
  });

  it('leaves alone what could be one of several, and names that only begin alike', async () => {
    const candidates = ['a_upscaled.png', 'a_restored.png', 'b_2_upscaled.png', 'c.webp', 'c.jpg'];
    expect(await pairing(['a.png', 'b.png', 'c.png'], candidates)).toEqual({
      pairs: {},
      unpaired: ['a.png', 'b.png', 'c.png'],
    });
  });
});
