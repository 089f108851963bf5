import { readFileSync } from 'node:fs';
import { copyFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { openCheckpoint } from '../../app/checkpoints/open-checkpoint.ts';
import { readTensor } from '../../app/checkpoints/read-tensor.ts';
import type { Image } from '../../app/imaging/image.ts';
import type { ResultInfo } from '../../app/processing/result.ts';
import { caseFile } from '../support/cases.ts';
import { writeCheckpoint } from '../support/checkpoints/checkpoint-writer.ts';
import { buildManifestTensors, readManifest } from '../support/checkpoints/hashed-weights.ts';
import { difference } from '../support/images/images.ts';
import { readPng, writePng } from '../support/images/png.ts';
import { referencePath } from '../support/machines/reference-path.ts';
import { describeWithReference } from '../support/reference.ts';
import { upscaleTask } from '../support/upscale-task.ts';
import { workersInFolder } from '../support/workers-in-folder.ts';

interface PipelineCase {
  readonly name: string;
  readonly kind: 'realesrganer' | 'pillow-resize';
  readonly input: string;
  readonly output: string;
  readonly tolerance_levels: number;
  readonly tile: number;
  readonly tile_pad: number;
  readonly pre_pad: number;
  readonly weights: string;
  readonly resized?: { readonly file: string; readonly scale: number };
  readonly filter: string;
  readonly size: readonly [width: number, height: number];
}

const workers = workersInFolder();
let runs = 0;

/** Files in, files out, by a worker process: the way of every upscale. One task for all images. */
async function upscaleFiles(
  files: readonly string[],
  options: Readonly<Record<string, unknown>>,
): Promise<readonly { readonly image: Image; readonly info: ResultInfo }[]> {
  const task = upscaleTask(
    workers.folder,
    files.map((file) => basename(file)),
    options,
  );
  const run = `run-${runs++}`;
  const images = task.images.map((image, index) => ({
    ...image,
    file: files[index] ?? '',
    outputStem: join(workers.folder, `${run}-${index}`),
  }));
  const results = await workers.pool.run({ ...task, images });
  return results.map(({ file, info }) => ({ image: readPng(readFileSync(file)), info }));
}

describeWithReference(
  'The pipeline against RealESRGANer and Pillow',
  ['goldens', 'pipelines', 'upscale'],
  (goldens) => {
    const index = JSON.parse(readFileSync(join(goldens, 'index.json'), 'utf8')) as readonly PipelineCase[];
    const at = (file: string): string => join(goldens, file);
    const load = (file: string): Image => readPng(readFileSync(at(file)));
    const networkCases = index.filter(({ kind }) => kind === 'realesrganer');

    beforeAll(async () => {
      const weights = referencePath('weights', 'realesr-animevideov3.pth');
      if (weights !== undefined) await copyFile(weights, join(workers.folder, basename(weights)));
    });

    it('has cases of every kind', () => {
      expect(networkCases.length).toBeGreaterThanOrEqual(6);
      expect(networkCases.filter(({ resized }) => resized).length).toBeGreaterThanOrEqual(5);
    });

    const grids = new Map(
      networkCases.map(({ tile, tile_pad, pre_pad }) => [
        `${tile}, ${tile_pad}, ${pre_pad}`,
        { tile, tile_pad, pre_pad },
      ]),
    );
    const ofGrid = (grid: Partial<PipelineCase>): PipelineCase[] =>
      networkCases.filter(
        (one) => one.tile === grid.tile && one.tile_pad === grid.tile_pad && one.pre_pad === grid.pre_pad,
      );

    it.each([...grids])('equals RealESRGANer with tile, tile_pad and pre_pad of %s', async (_name, grid) => {
      const cases = ofGrid(grid);
      const results = await upscaleFiles(
        cases.map(({ input }) => at(input)),
        { upscaler: 'REALESR_ANIMEVIDEO_V3', ...grid },
      );
      cases.forEach(({ name, output, tolerance_levels }, i) => {
        const { image, info } = results[i] ?? { image: undefined, info: undefined };
        if (!image) throw new Error(`${name}: no result`);
        const levels = image.depth === 16 ? 255 : 1;
        expect([name, difference(image, load(output)).max <= tolerance_levels * levels]).toEqual([name, true]);
        expect(info).toMatchObject({
          upscaler: 'REALESR_ANIMEVIDEO_V3',
          scale: 4,
          native_scale: 4,
          halo: grid.tile_pad,
        });
      });
    });

    it.each([...grids])('and so does what is resized from it, with %s', async (_name, grid) => {
      const cases = ofGrid(grid).flatMap((one) => (one.resized ? [{ ...one, resized: one.resized }] : []));
      const options = { upscaler: 'REALESR_ANIMEVIDEO_V3', scale: cases[0]?.resized.scale, ...grid };
      const results = await upscaleFiles(
        cases.map(({ input }) => at(input)),
        options,
      );
      cases.forEach(({ name, resized, tolerance_levels }, i) => {
        const image = results[i]?.image;
        if (!image) throw new Error(`${name}: no result`);
        expect([name, difference(image, load(resized.file)).max <= tolerance_levels]).toEqual([name, true]);
      });
    });

    it('shows no tiles by default: of 48 pixels they are the whole image', async () => {
      const files = [at('rgb-untiled.in.png'), at('alpha-tile64.in.png'), at('gray.in.png')];
      const [tiled, whole] = await Promise.all(
        [48, 0].map((tile) => upscaleFiles(files, { upscaler: 'REALESR_ANIMEVIDEO_V3', tile })),
      );
      files.forEach((file, i) => {
        const [a, b] = [tiled?.[i], whole?.[i]];
        if (!a || !b) throw new Error(`${file}: no result`);
        expect(a.info.tiles).toBeGreaterThan(1);
        expect(b.info).toMatchObject({ tile: 0, tiles: 1 });
        expect(difference(a.image, b.image).max).toBeLessThanOrEqual(1);
      });
    });

    const resizes = index.filter(({ kind }) => kind === 'pillow-resize');
    /** One of each filter, of each picture, up and down; all of them are held against the resampler itself elsewhere. */
    const sample = resizes.filter((_one, i) => i % 13 === 0);

    it.each(sample)('$name equals Pillow in every sample', async ({ input, output, filter, size }) => {
      const [result] = await upscaleFiles([at(input)], { upscaler: filter, width: size[0], height: size[1] });
      if (!result) throw new Error('no result');
      expect(difference(result.image, load(output))).toMatchObject({ max: 0, count: 0 });
      expect(result.info).toMatchObject({ upscaler: filter, output: { width: size[0], height: size[1] } });
    });
  },
);

describe('The pipeline against PyTorch', () => {
  /** A case's tensor [1, 3, H, W] as a picture: clipped and rounded, as the reference writes it. */
  const pictureOf = (name: string, tensor: 'input' | 'output'): Image => {
    const dict = openCheckpoint(caseFile(name));
    const [, , height = 0, width = 0] = dict.tensors.get(tensor)?.shape ?? [];
    const values = readTensor(dict, tensor);
    const data = new Uint8Array(width * height * 3);
    for (let i = 0; i < data.length; i++) {
      const value = values[(i % 3) * width * height + Math.trunc(i / 3)] ?? NaN;
      data[i] = Math.round(Math.min(Math.max(value, 0), 1) * 255);
    }
    return { width, height, channels: 3, depth: 8, data };
  };
  const install = (manifest: string): void => {
    const { root } = readManifest(manifest);
    const tensors = buildManifestTensors(readManifest(manifest));
    writeCheckpoint(join(workers.folder, `${manifest}.pth`), tensors, { format: 'pth-zip', root });
  };
  const upscaleCase = async (name: string, options: Readonly<Record<string, unknown>>) => {
    const file = join(workers.folder, `${name}.png`);
    await writeFile(file, writePng(pictureOf(name, 'input')));
    const [result] = await upscaleFiles([file], options);
    if (!result) throw new Error('no result');
    return result;
  };

  it('equals two networks interpolated, for a denoise strength', async () => {
    install('realesr-general-x4v3');
    install('realesr-general-wdn-x4v3');
    const name = 'realesr-general-dni03_23x25';
    const blended = await upscaleCase(name, { upscaler: 'REALESR_GENERAL_X4_V3', denoise_strength: 0.3 });
    expect(difference(blended.image, pictureOf(name, 'output')).max).toBeLessThanOrEqual(1);
    expect(blended.info.denoise_strength).toBe(0.3);

    const plain = await upscaleCase(name, { upscaler: 'REALESR_GENERAL_X4_V3' });
    expect(difference(plain.image, pictureOf(name, 'output')).max).toBeGreaterThan(1);
    expect(plain.info).not.toHaveProperty('denoise_strength');
  });

  it('equals a network that folds pixels, for sides that are odd', async () => {
    install('RealESRGAN_x2plus');
    const { image, info } = await upscaleCase('RealESRGAN_x2plus_37x29', { upscaler: 'AUTO' });
    expect(difference(image, pictureOf('RealESRGAN_x2plus_37x29', 'output')).max).toBeLessThanOrEqual(1);
    expect(info).toMatchObject({ upscaler: 'REALESRGAN_X2PLUS', native_scale: 2, fallbacks: [] });
  });
});
