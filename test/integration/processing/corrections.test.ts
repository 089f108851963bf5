import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Image } from '../../../app/imaging/image.ts';
import type { ImageResult } from '../../../app/processing/result.ts';
import { WorkerPool } from '../../../app/worker/worker-pool.ts';
import { difference } from '../../support/images/images.ts';
import { writePng, readPng } from '../../support/images/png.ts';
import { writeCheckpoint } from '../../support/checkpoints/checkpoint-writer.ts';
import { shiftingNetwork } from '../../support/networks/shifting-network.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { upscaleTask, workerConfig } from '../../support/upscale-task.ts';

/** Levels by which the network of scale 2 shifts R, G and B, and that of scale 1 after it. */
const SHIFT = [4, -3, 5] as const;
const CLEANER_SHIFT = [10, 10, 10] as const;
const SIDE = 96;
/** Its left half and its right half: flat tones as people complain of. */
const TONES = [
  [128, 60, 200],
  [40, 180, 90],
] as const;

const pixels = (side: number, pixelAt: (x: number, y: number) => readonly number[], depth: 8 | 16 = 8): Image => {
  const samples = Array.from({ length: side * side }, (_, at) => pixelAt(at % side, Math.floor(at / side))).flat();
  const channels = (samples.length / (side * side)) as 1 | 3 | 4;
  return {
    width: side,
    height: side,
    channels,
    depth,
    data: depth === 8 ? Uint8Array.from(samples) : Uint16Array.from(samples),
  };
};
const halves = (side: number, shift: readonly number[] = [0, 0, 0]): Image =>
  pixels(side, (x) => TONES[x < side / 2 ? 0 : 1].map((tone, color) => tone + (shift[color] ?? 0)));

describe('What is done to a picture before and after its network', () => {
  let folder: TemporaryFolder;
  let pool: WorkerPool;

  beforeAll(async () => {
    folder = await temporaryFolder();
    const models = join(folder.path, 'models');
    await mkdir(models);
    writeCheckpoint(join(models, 'shifts.pth'), shiftingNetwork('compact-x2', SHIFT), { format: 'pth-zip' });
    writeCheckpoint(join(models, 'cleans.pth'), shiftingNetwork('compact-x1', CLEANER_SHIFT), { format: 'pth-zip' });
    await writeFile(join(folder.path, 'halves.png'), writePng(halves(SIDE)));
    pool = new WorkerPool(workerConfig({ modelsDir: models }), { isBackground: false });
  });
  afterAll(async () => {
    await pool.close();
    await folder.remove();
  });

  const run = async (
    options: Readonly<Record<string, unknown>>,
    names = ['halves.png'],
  ): Promise<readonly ImageResult[]> => {
    const task = upscaleTask(folder.path, names, { upscaler: 'shifts', ...options });
    return pool.run({ ...task, mayOverwrite: true });
  };
  const madeBy = async (
    options: Readonly<Record<string, unknown>>,
  ): Promise<{ image: Image; info: ImageResult['info'] }> => {
    const [result] = await run(options);
    if (!result) throw new Error('there is a result');
    return { image: readPng(readFileSync(result.file)), info: result.info };
  };
  const worst = (made: Image, expected: Image): number => difference(made, expected).max;

  it('is nothing, unless it is asked for: the tones are what the network makes of them', async () => {
    const { image, info } = await madeBy({});
    expect(worst(image, halves(2 * SIDE, SHIFT))).toBe(0);
    expect(info).not.toHaveProperty('colour_fix');
    expect(info).not.toHaveProperty('cleaned_by');
  });

  it.each(['mean', 'wavelet'])(
    'gives flat tones back to a level by colour_fix=%s, with the edge between them',
    async (fix) => {
      const { image, info } = await madeBy({ colour_fix: fix });
      const ringing = fix === 'wavelet' ? 3 : 0; // LANCZOS rings at the edge of the enlarged picture
      const atEdge = (at: number) => Math.abs((Math.floor(at / 3) % (2 * SIDE)) - SIDE) <= 40;
      const expected = halves(2 * SIDE);
      image.data.forEach((sample, at) => {
        const off = Math.abs(sample - (expected.data[at] ?? 0));
        if (off > (atEdge(at) ? 1 + ringing : 1)) throw new Error(`${off} levels off at ${at}`);
      });
      expect(info).toMatchObject({ colour_fix: fix, upscaler: 'shifts', seconds: { colour_fix: expect.any(Number) } });
    },
  );

  it('runs a cleaner first, once a picture, and tells of it; colours are corrected by the picture as it came', async () => {
    const both = SHIFT.map((level, color) => level + (CLEANER_SHIFT[color] ?? 0));
    const results = await run({ clean: 'cleans' }, ['halves.png', 'halves.png']);
    for (const { file, info } of results) {
      expect(worst(readPng(readFileSync(file)), halves(2 * SIDE, both))).toBe(0);
      expect(info).toMatchObject({
        cleaned_by: {
          model: 'cleans.pth',
          sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
          architecture: 'Compact',
          device: 'cpu',
        },
        upscaler: 'shifts',
        model: 'shifts.pth',
        scale: 2,
        seconds: { clean: expect.any(Number) },
      });
    }
    const { image } = await madeBy({ clean: 'cleans.pth', colour_fix: 'mean' });
    expect(worst(image, halves(2 * SIDE))).toBe(0);
  });

  it('keeps gray, 16 bits and alpha', async () => {
    await writeFile(join(folder.path, 'gray.png'), writePng(pixels(40, () => [128])));
    await writeFile(join(folder.path, 'deep.png'), writePng(pixels(40, () => [30_000, 20_000, 10_000], 16)));
    const seen = (x: number) => (x < 20 ? [90, 100, 110, 255] : [90, 100, 110, 0]);
    await writeFile(join(folder.path, 'alpha.png'), writePng(pixels(40, seen)));
    const results = await run({ colour_fix: 'wavelet', clean: 'cleans' }, ['gray.png', 'deep.png', 'alpha.png']);
    const [gray, deep, alpha] = results.map(({ file }) => readPng(readFileSync(file)));
    expect([gray?.channels, deep?.depth, alpha?.channels]).toEqual([1, 16, 4]);
    expect([gray?.data[3000], deep?.data[3000], deep?.data[3001]]).toEqual([128, 30_000, 20_000]);
    expect([...(alpha?.data.subarray(0, 3) ?? [])]).toEqual([90, 100, 110]);
    expect(alpha?.data[79 * 4 + 3]).toBeLessThan(10); // it goes through the network, but not through what corrects colours
  });
});
