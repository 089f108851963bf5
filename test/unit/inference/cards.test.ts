import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { listCards, visibleCards } from '../../../app/inference/cards.ts';
import { plantNvidiaSmi, TWO_CARDS } from '../../support/nvidia-smi.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

let folder: TemporaryFolder;
const PATH = process.env['PATH'];

beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

/** What is read of a card where a program of that name answers so: no real card was there to ask. */
async function cardsFrom(lines: readonly string[]) {
  const programs = await plantNvidiaSmi(folder.path, lines);
  return listCards({ PATH: `${programs}:${PATH}` });
}

describe('listCards', () => {
  it('reads what nvidia-smi answers', async () => {
    expect(await cardsFrom(TWO_CARDS)).toEqual([
      {
        index: 0,
        uuid: 'GPU-aaaa1111',
        name: 'NVIDIA H100 80GB HBM3',
        totalMib: 81559,
        freeMib: 80994,
        driver: '580.95.05',
      },
      { index: 1, uuid: 'GPU-bbbb2222', name: 'NVIDIA L4', totalMib: 23034, freeMib: 4000, driver: '580.95.05' },
    ]);
  });

  it('takes memory that the driver does not tell for unknown', async () => {
    const [card] = await cardsFrom(['0, GPU-c, NVIDIA GB10, [N/A], [N/A], 580.95.05']);
    expect(card).toMatchObject({ totalMib: null, freeMib: null });
  });

  it('knows no cards where the program says that it cannot, or something else', async () => {
    expect(await cardsFrom(["NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."])).toEqual(
      [],
    );
    await writeFile(join(folder.path, 'nvidia-smi'), '#!/bin/sh\necho "0, GPU-a, A, 1, 1, 1"; exit 9\n');
    await chmod(join(folder.path, 'nvidia-smi'), 0o755);
    expect(await listCards({ PATH: `${folder.path}:${PATH}` })).toEqual([]);
    expect(await listCards({ PATH: '/nowhere' })).toEqual([]);
  });
});

describe('visibleCards', () => {
  it.each([
    [undefined, [0, 1]],
    ['1', [1]],
    ['1,0', [1, 0]],
    ['GPU-bbbb', [1]],
    ['0, GPU-bbbb2222', [0, 1]],
    ['0,7,1', [0]], // CUDA stops at the first that is none
    ['', []],
    ['-1', []],
  ])('are of two with CUDA_VISIBLE_DEVICES=%s %j', async (visible, expected) => {
    const cards = await cardsFrom(TWO_CARDS);
    expect(visibleCards(cards, visible ?? undefined).map(({ index }) => index)).toEqual(expected);
  });
});
