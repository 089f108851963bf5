import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createCatalog } from '../../../../app/catalog/create-catalog.ts';
import { rowsInto } from '../../../../app/imaging/rows-into.ts';
import { rowsOf } from '../../../../app/imaging/rows.ts';
import { upscaleOptions } from '../../../../app/options/upscale-options.ts';
import { ModelFetcher } from '../../../../app/processing/networks/model-fetcher.ts';
import { StageClock } from '../../../../app/processing/stage-clock.ts';
import { withColorsOf } from '../../../../app/processing/upscale/color-fix.ts';
import { PictureCleaner } from '../../../../app/processing/restore/picture-cleaner.ts';
import { noise } from '../../../support/images/images.ts';
import { writeCheckpoint } from '../../../support/checkpoints/checkpoint-writer.ts';
import { shiftingNetwork } from '../../../support/networks/shifting-network.ts';
import type { TemporaryFolder } from '../../../support/temporary-folder.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { workerConfig } from '../../../support/upscale-task.ts';

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await temporaryFolder();
  await mkdir(join(folder.path, 'models'));
  const file = (name: string) => join(folder.path, 'models', `${name}.pth`);
  writeCheckpoint(file('enlarges'), shiftingNetwork('compact-x2', [0]), { format: 'pth-zip' });
  writeCheckpoint(file('cleans'), shiftingNetwork('compact-x1', [0]), { format: 'pth-zip' });
});
afterAll(() => folder.remove());

const clock = (): StageClock => StageClock.ofImage({ image: 0, images: 1 }, () => undefined);

describe('A cleaner', () => {
  const prepare = async (clean: string): Promise<void> => {
    const config = workerConfig({ modelsDir: join(folder.path, 'models') });
    const cleaner = new PictureCleaner(config, new ModelFetcher(createCatalog(config)));
    const rest = { isBatch: false, scratch: folder.path, excludedDevices: [], onRunning: () => undefined };
    await cleaner.prepare(
      { options: upscaleOptions.parse({ clean }), ...rest },
      { clock: clock(), leavesFaces: false, mayReplace: false },
    );
  };

  it.each([
    [
      'enlarges',
      /^clean: expected a network of scale 1, enlarges is Compact, a network that makes pictures 2 times as large$/,
    ],
    ['clean', /^clean: there is no 'clean'\. Did you mean 'cleans'\? Known: /],
    ['../models/cleans', /^clean: there is no '\.\.\/models\/cleans'\. /],
  ])('that is %j is refused in words', async (clean, message) => {
    const refusal = { code: 'ERR_BAD_PARAMETER', message: expect.stringMatching(message) };
    await expect(prepare(clean)).rejects.toMatchObject(refusal);
  });

  it('is taken by the name of its file, with or without the ending', async () => {
    await expect(prepare('cleans')).resolves.toBeUndefined();
    await expect(prepare('cleans.pth')).resolves.toBeUndefined();
  });

  it('that is known and not there is named, with where to get it', async () => {
    await expect(prepare('nafnet-sidd-width64')).rejects.toMatchObject({
      code: 'ERR_MODEL_UNAVAILABLE',
      message: expect.stringContaining('NAFNet-SIDD-width64.pth'),
    });
  });
});

describe('Colours that are to be corrected', () => {
  it.each([
    ['no network ran', {}, 3, 'colour_fix was ignored: LANCZOS shifts no colours'],
    ['the result is gray', { model: 'to-gray.pth' }, 1, 'colour_fix was ignored: the network makes gray of colours'],
  ] as const)('stay as they are where %s, which is told', async (_when, told, channels, warning) => {
    const source = noise({ width: 8, height: 8, channels: 3, depth: 8 });
    const image = rowsInto(rowsOf(noise({ width: 16, height: 16, channels, depth: 8 })), folder.path);
    const size = { width: 16, height: 16 };
    const info = { upscaler: 'LANCZOS', ...told, scale: 2, input: size, output: size, fallbacks: [], warnings: [] };
    const task = { options: { colour_fix: 'mean' }, scratch: folder.path } as const;
    const made = await withColorsOf(source, { image, encodingFrom: 0.9, info }, task, clock());
    expect(made.image).toBe(image);
    expect(made.info).toEqual({ ...info, warnings: [warning] });
    image.dispose();
  });
});
