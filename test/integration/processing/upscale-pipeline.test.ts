import { readFileSync, statSync } from 'node:fs';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import type { Image } from '../../../app/imaging/image.ts';
import type { ImageResult } from '../../../app/processing/result.ts';
import type { HiresFixTask } from '../../../app/processing/tasks.ts';
import { outputOptions } from '../../../app/options/output-options.ts';
import { WorkerPool } from '../../../app/worker/worker-pool.ts';
import { writeCheckpoint } from '../../support/checkpoints/checkpoint-writer.ts';
import { buildManifestTensors, readManifest } from '../../support/checkpoints/hashed-weights.ts';
import { difference, gradient, noise } from '../../support/images/images.ts';
import { DIFFICULT_IMAGES } from '../../support/images/input-images.ts';
import { readPng, writePng } from '../../support/images/png.ts';
import { describeWithReference } from '../../support/reference.ts';
import { readSmallNetworks, smallNetwork, writeSmallNetwork } from '../../support/networks/small-networks.ts';
import { overflowingNetwork } from '../../support/networks/overflowing-network.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { mountSmallDisk } from '../../support/small-disk.ts';
import { scratchFolders, upscaleTask, workerConfig } from '../../support/upscale-task.ts';

let folder: TemporaryFolder;
let pool: WorkerPool;

beforeAll(async () => {
  folder = await temporaryFolder();
  await mkdir(join(folder.path, 'models'));
  const changes = { modelsDir: join(folder.path, 'models'), maxOutputPixels: 2 ** 24 };
  pool = new WorkerPool(workerConfig(changes), { isBackground: false });
});

afterAll(async () => {
  await pool.close();
  expect(scratchFolders(folder.path)).toEqual([]);
  await folder.remove();
});

/** Results go to a folder of their own, `results`. */
async function run(
  names: readonly string[],
  options: Readonly<Record<string, unknown>>,
  changes: Partial<HiresFixTask> = {},
): Promise<{ results: readonly ImageResult[]; failed: string[] }> {
  const task = { ...upscaleTask(folder.path, names, options), ...changes };
  const results = await mkdir(join(folder.path, `results-${++runs}`), { recursive: true });
  const images = task.images.map((image) => ({
    ...image,
    outputStem: join(results ?? '', basename(image.outputStem)),
  }));
  const failed: string[] = [];
  const onImageFailed = (index: number, { code, message }: { code: string; message: string }): void => {
    failed.push(`${names[index] ?? ''} ${code} ${message}`);
  };
  return { results: await pool.run({ ...task, images }, { onImageFailed }), failed };
}
let runs = 0;

async function picture(name: string, width: number, height: number): Promise<string> {
  await writeFile(join(folder.path, name), writePng(gradient({ width, height, channels: 3, depth: 8 })));
  return name;
}

function shapesOf(results: readonly ImageResult[]): readonly unknown[] {
  return results.map(({ index, file }) => {
    const { width, height, channels, depth } = readPng(readFileSync(file));
    return [DIFFICULT_IMAGES[index]?.name, width, height, channels, depth];
  });
}

describe('Good input that often breaks', () => {
  const names = DIFFICULT_IMAGES.map(({ name }) => name);
  const expected = (factor: number) =>
    DIFFICULT_IMAGES.map(({ name, result: [width, height, channels, depth] }) => [
      name,
      (width * factor) / 2,
      (height * factor) / 2,
      channels,
      depth,
    ]);

  beforeAll(async () => {
    for (const { name, bytes } of DIFFICULT_IMAGES) await writeFile(join(folder.path, name), await bytes());
  });

  it('is enlarged by LANCZOS', async () => {
    const { results, failed } = await run(names, { upscaler: 'LANCZOS', scale: 2 });
    expect(failed).toEqual([]);
    expect(shapesOf(results)).toEqual(expected(2));
  });

  it("is enlarged by the package's own network, in tiles of any size", async () => {
    const { results, failed } = await run(names, { upscaler: 'COMPACT_X2', tile: 96 });
    expect(failed).toEqual([]);
    expect(shapesOf(results)).toEqual(expected(2));
  });

  describeWithReference('and a trained network', ['weights', 'realesr-animevideov3.pth'], (weights) => {
    it.each([{}, { tile: 64, tile_pad: 10, pre_pad: 10 }])('enlarges it with %j', async (tiling) => {
      await copyFile(weights, join(folder.path, 'models', basename(weights)));
      const { results, failed } = await run(names, { upscaler: 'REALESR_ANIMEVIDEO_V3', ...tiling });
      expect(failed).toEqual([]);
      expect(shapesOf(results)).toEqual(expected(4));
    });
  });
});

describe('A network that has to know the sides of its picture', () => {
  it.each([
    { tile: 24, tile_pad: 'auto' },
    { tile: 24, tile_pad: 4 },
  ])('takes a batch of two sizes with %j', async (tiling) => {
    const manifest = readManifest('SwinIR-S_lightweight_x2');
    const file = join(folder.path, 'models', 'swinir.pth');
    writeCheckpoint(file, buildManifestTensors(manifest), { format: 'pth-zip', root: manifest.root });
    const names = [await picture('wide.png', 40, 28), await picture('high.png', 21, 44)];
    const { results, failed } = await run(names, { upscaler: 'swinir.pth', ...tiling });
    expect(failed).toEqual([]);
    expect(
      results.map(({ file: result }) => readPng(readFileSync(result))).map(({ width, height }) => [width, height]),
    ).toEqual([
      [80, 56],
      [42, 88],
    ]);
    expect(results.map(({ info }) => info)).toMatchObject([
      { architecture: 'SwinIR', native_scale: 2, tiles: 4 },
      { architecture: 'SwinIR', native_scale: 2, tiles: 2 },
    ]);
  });
});

describe('What is told of a result', () => {
  it('names every step down from what was asked', async () => {
    const names = [await picture('a.png', 20, 10), await picture('b.png', 10, 20)];
    const { results } = await run(names, { upscaler: 'AUTO', device: 'cpu' });
    for (const { info } of results) {
      expect(info).toMatchObject({
        upscaler: 'COMPACT_X2',
        asked_upscaler: 'AUTO',
        device_asked: 'cpu',
        device: 'cpu',
      });
      expect(info.fallbacks).toEqual([
        { from: 'REALESRGAN_X2PLUS', to: 'COMPACT_X2', reason: expect.stringContaining('is not installed') },
      ]);
    }
  });

  it('names a device that is not there, of every image of a batch, and does the work on the CPU', async () => {
    const absent = process.platform === 'darwin' ? 'cuda' : 'mps';
    const anywhere = new WorkerPool(workerConfig({ forceCpu: false }), { isBackground: false });
    const names = [await picture('a.png', 20, 10), await picture('b.png', 10, 20)];
    const task = upscaleTask(folder.path, names, { upscaler: 'COMPACT_X2', device: absent });
    for (const { info } of await anywhere.run({ ...task, mayOverwrite: true })) {
      expect(info).toMatchObject({ device_asked: absent, device: 'cpu' });
      expect(info.fallbacks).toEqual([
        { from: absent, to: 'cpu', reason: expect.stringContaining(`${absent} cannot be used here`) },
      ]);
    }
  });

  it('says that a network ran twice', async () => {
    const { results } = await run([await picture('a.png', 12, 8)], { upscaler: 'COMPACT_X2', scale: 5 });
    expect(results[0]?.info).toMatchObject({ passes: 2, scale: 5, native_scale: 2, output: { width: 60, height: 40 } });
    expect(results[0]?.info.warnings).toEqual([expect.stringContaining('the network ran 2 times')]);
  });

  it('says that a picture was reduced, by a network too', async () => {
    const { results } = await run([await picture('a.png', 41, 21)], { upscaler: 'COMPACT_X2', scale: 0.5 });
    expect(results[0]?.info).toMatchObject({ passes: 1, scale: 0.4878, output: { width: 20, height: 10 } });
  });

  it('has seconds for every stage, and the bytes that were written', async () => {
    const { results } = await run([await picture('a.png', 41, 21)], { upscaler: 'COMPACT_X2', scale: 3 });
    const [{ info, bytes, file } = { info: { seconds: {} }, bytes: 0, file: '' }] = results;
    expect(Object.keys(info.seconds)).toEqual(
      expect.arrayContaining(['decode', 'load', 'upscale', 'resize', 'encode', 'total']),
    );
    expect(bytes).toBe(statSync(file).size);
    const mine = join(folder.path, 'mine');
    await writeFile(mine, '');
    expect(statSync(file).mode).toBe(statSync(mine).mode); // as readable for others as any file
  });
});

describe('The mean of mirrored views', () => {
  const grain = noise({ width: 40, height: 40, channels: 3, depth: 8 });
  // Middle tones: no view is clipped, which the mean is only at its end.
  const small = { ...grain, data: grain.data.map((value) => 96 + value / 4) };
  const mirrored = (image: Image, axes: readonly ('x' | 'y')[]): Image => {
    const { width, height, channels } = image;
    const data = image.data.map((_, at) => {
      const [pixel, channel] = [Math.floor(at / channels), at % channels];
      const [x, y] = [pixel % width, Math.floor(pixel / width)];
      const [fromX, fromY] = [axes.includes('x') ? width - 1 - x : x, axes.includes('y') ? height - 1 - y : y];
      return image.data[(fromY * width + fromX) * channels + channel] ?? 0;
    });
    return { ...image, data };
  };
  const cut = (image: Image, height: number): Image => ({
    ...image,
    height,
    data: image.data.subarray(0, height * image.width * image.channels),
  });
  const withAlpha = (image: Image): Image => {
    const samples = Array.from({ length: image.width * image.height }, (_, i) => [
      ...image.data.subarray(3 * i, 3 * i + 3),
      image.data[3 * i] ?? 0,
    ]);
    return { ...image, channels: 4, data: Uint8Array.from(samples.flat()) };
  };
  const enlarged = async (images: readonly Image[], options: Readonly<Record<string, unknown>>): Promise<Image[]> => {
    const names = images.map((_, index) => `view-${index}.png`);
    for (const [index, image] of images.entries()) {
      await writeFile(join(folder.path, names[index] ?? ''), writePng(image));
    }
    const { results } = await run(names, { upscaler: 'COMPACT_X2', ...options });
    return results.map(({ file }) => readPng(readFileSync(file)));
  };

  it.each([
    { views: 2, axes: [[], ['x', 'y']] as const, image: cut(small, 30), tiling: {} },
    { views: 4, axes: [[], ['x', 'y'], ['x'], ['y']] as const, image: cut(small, 30), tiling: {} },
    { views: 4, axes: [[], ['x', 'y'], ['x'], ['y']] as const, image: withAlpha(small), tiling: { tile: 16 } },
  ])('is what the $views pictures come to one by one: $image.channels channels, $tiling', async (given) => {
    const { views, axes, image, tiling } = given;
    const pictures = axes.map((along) => mirrored(image, along));
    const single = await enlarged(pictures, { tta: 1 });
    const backs = single.map((picture, view) => mirrored(picture, axes[view] ?? []));
    const [first] = backs;
    const [mean] = await enlarged([image], { tta: views, ...tiling });
    if (!first || !mean) throw new Error('no result');
    const expected = first.data.map((_, at) =>
      Math.round(backs.reduce((sum, { data }) => sum + (data[at] ?? 0), 0) / views),
    );
    expect(difference(mean, { ...first, data: expected }).max).toBeLessThanOrEqual(1); // each of the views was rounded
    expect(difference(mean, first).max).toBeGreaterThan(2);
  });

  it.each([
    [{}, 40, 30, 4],
    [{ tta: 1 }, 40, 30, undefined],
    [{ tta: 'auto', tile_pad: 10 }, 40, 30, undefined],
    [{ tta: 2, tile_pad: 10 }, 40, 30, 2],
    [{ upscaler: 'AUTO' }, 40, 30, 4],
    [{ upscaler: 'AUTO', scale: 5 }, 200, 100, 4],
  ])('with %j of %i x %i pixels, %s are told', async (options, width, height, told) => {
    const name = await picture('views.png', width, height);
    const { results } = await run([name], { upscaler: 'COMPACT_X2', ...options });
    expect(results[0]?.info.tta).toBe(told);
  });

  it('is for another network what is asked for, and one where nothing is', async () => {
    const network = readSmallNetworks().find(({ expected }) => expected.architecture === 'Compact');
    if (!network) throw new Error('no network');
    writeSmallNetwork(join(folder.path, 'models', 'small.pth'), network, 'pth-zip');
    const name = await picture('views.png', 20, 10);
    const told = async (options: Readonly<Record<string, unknown>>): Promise<number | undefined> =>
      (await run([name], { upscaler: 'small', ...options })).results[0]?.info.tta;
    expect(await told({})).toBeUndefined();
    expect(await told({ tta: 4 })).toBe(4);
  });
});

describe('The format of a result', () => {
  const auto = { output: outputOptions.parse({}) };

  it('is the one of its source where that loses nothing, else PNG', async () => {
    const image = sharp({ create: { width: 20, height: 10, channels: 3, background: 'teal' } });
    await writeFile(join(folder.path, 'a.jpg'), await image.clone().jpeg().toBuffer());
    await writeFile(join(folder.path, 'a.webp'), await image.clone().webp().toBuffer());
    await writeFile(join(folder.path, 'a.tif'), await image.clone().tiff().toBuffer());
    await writeFile(join(folder.path, 'a.gif'), await image.clone().gif().toBuffer());
    const { results } = await run(['a.jpg', 'a.webp', 'a.tif', 'a.gif'], { upscaler: 'NEAREST' }, auto);
    expect(results.map(({ info, file }) => [info.format, basename(file)])).toEqual([
      ['jpeg', 'out-0.jpg'],
      ['webp', 'out-1.webp'],
      ['tiff', 'out-2.tiff'],
      ['png', 'out-3.png'],
    ]);
  });

  it('becomes PNG, with a word, where the result is too large for that of its source, and else stays', async () => {
    const wide = (width: number) => sharp({ create: { width, height: 2, channels: 3, background: 'teal' } });
    await writeFile(join(folder.path, 'wide.webp'), await wide(9000).webp().toBuffer());
    await writeFile(join(folder.path, 'wide.jpg'), await wide(16_376).jpeg().toBuffer());
    await writeFile(join(folder.path, 'fits.jpg'), await wide(16_375).jpeg().toBuffer());
    const names = ['wide.webp', 'wide.jpg', 'fits.jpg'];
    const { results, failed } = await run(names, { upscaler: 'NEAREST', scale: 4 }, auto);
    expect(failed).toEqual([]);
    expect(results.map(({ info }) => [info.format, info.output.width, info.warnings])).toEqual([
      ['png', 36_000, [expect.stringMatching(/^written as PNG: WebP .* 16383 pixels, and the result is 36000x8$/)]],
      ['png', 65_504, [expect.stringMatching(/^written as PNG: JPEG .* 65500 pixels, and the result is 65504x8$/)]],
      ['jpeg', 65_500, []],
    ]);
  });

  it('is refused before the work where it was asked for and cannot hold the result', async () => {
    const wide = sharp({ create: { width: 9000, height: 2, channels: 3, background: 'teal' } });
    await writeFile(join(folder.path, 'wide.webp'), await wide.webp().toBuffer());
    const asked = { output: outputOptions.parse({ output_format: 'webp' }) };
    const { failed } = await run(['wide.webp'], { upscaler: 'NEAREST' }, asked);
    expect(failed).toEqual([expect.stringMatching(/^wide\.webp ERR_OUTPUT_FORMAT .*18000x4, WEBP holds.*16383/)]);
  });
});

describe('What cannot be done', () => {
  const disk = mountSmallDisk(1 << 19);
  afterAll(() => disk?.unmount());

  (disk ? it.each(['LANCZOS', 'COMPACT_X2']) : it.skip.each(['LANCZOS']))(
    'by %s for want of room is one image, after which its room is free again (needs root, to mount a small disk)',
    async (upscaler) => {
      const [big, small] = [await picture('big.png', 250, 250), await picture('small.png', 100, 70)];
      const task = upscaleTask(folder.path, [big, small], { upscaler });
      const images = task.images.map((image, index) => ({
        ...image,
        outputStem: join(disk?.directory ?? '', `${upscaler}-${index}`),
      }));
      const failed: string[] = [];
      const results = await pool.run(
        { ...task, images },
        { onImageFailed: (index, { code }) => failed.push(`${index} ${code}`) },
      );
      expect(failed).toEqual(['0 ERR_SCRATCH_SPACE']);
      expect(results.map(({ file }) => basename(file))).toEqual([`${upscaler}-1.png`]);
    },
  );

  it('includes names that are too long, which is told before the work', async () => {
    const name = await picture('a.png', 8, 6);
    const task = upscaleTask(folder.path, [name], { upscaler: 'LANCZOS' });
    const images = task.images.map((image) => ({ ...image, outputStem: join(folder.path, 'x'.repeat(300)) }));
    const stages: string[] = [];
    const run = pool.run({ ...task, images }, { onProgress: ({ stage }) => stages.push(stage) });
    await expect(run).rejects.toMatchObject({
      code: 'ERR_SCRATCH_SPACE',
      message: expect.stringContaining('too long'),
    });
    expect(stages).not.toContain('resizing');
  });

  it('is told of each image, and the others are done', async () => {
    const names = [await picture('large.png', 300, 200), await picture('a.png', 20, 10)];
    const { results, failed } = await run(names, { upscaler: 'LANCZOS', scale: 40 });
    expect(results.map(({ index }) => index)).toEqual([1]);
    expect(failed).toEqual([
      expect.stringMatching(/^large\.png ERR_OUTPUT_TOO_LARGE .*12000 x 8000 pixels.*16777216.*MAX_OUTPUT_PIXELS/),
    ]);
  });

  it('is not bounded by what was not asked for: a network of scale 1 makes no larger picture', async () => {
    const manifest = readManifest('compact_x1');
    const file = join(folder.path, 'models', 'compact_x1.pth');
    writeCheckpoint(file, buildManifestTensors(manifest), { format: 'pth-zip', root: manifest.root });
    const small = new WorkerPool(workerConfig({ modelsDir: join(folder.path, 'models'), maxOutputPixels: 500 }), {
      isBackground: false,
    });
    const task = upscaleTask(folder.path, [await picture('a.png', 20, 10)], { upscaler: 'compact_x1' });
    const [result] = await small.run({ ...task, mayOverwrite: true });
    expect(result?.info).toMatchObject({ upscaler: 'compact_x1', native_scale: 1, output: { width: 20, height: 10 } });
  });

  it('includes damaged weights: numbers that are none are no pixels', async () => {
    const models = join(folder.path, 'models');
    writeCheckpoint(join(models, 'overflowing.pth'), overflowingNetwork('NaN'), { format: 'pth-zip' });
    const { results, failed } = await run([await picture('a.png', 20, 10)], { upscaler: 'overflowing.pth' });
    expect(results).toEqual([]);
    expect(failed).toEqual([expect.stringMatching(/^a\.png ERR_INFERENCE .*not numbers.*weights are damaged/)]);
    const manifest = readManifest('compact_x2_ultra');
    const tensors = buildManifestTensors(manifest);
    for (const { data } of tensors.values()) if (data instanceof Float32Array) data[0] = NaN;
    writeCheckpoint(join(models, 'damaged.pth'), tensors, { format: 'pth-zip', root: manifest.root });
    const damaged = run([await picture('b.png', 20, 10)], { upscaler: 'damaged.pth' });
    await expect(damaged).rejects.toThrow(/^damaged\.pth: tensor 'body\.0\.weight' holds values that are not numbers/);
  });
});

describe('A network that gives other channels than it takes', () => {
  const CHANNELS = { 'gray.png': 1, 'gray-alpha.png': 2, 'rgb.png': 3, 'rgba.png': 4 } as const;
  const NAMES = Object.keys(CHANNELS);

  it.each([
    ['compact-x2-rgba', [1, 2, 3, 4]],
    ['compact-x2-gray-to-rgb', [3, 4, 3, 4]],
    ['new-x2-rgb-to-gray', [1, 2, 1, 2]],
    ['new-x2-rgb-to-rgba', [4, 4, 4, 4]],
  ])('%s makes files of its channels, also in two passes and at a size of its own', async (name, channels) => {
    const network = smallNetwork(name);
    writeSmallNetwork(join(folder.path, 'models', `${name}.safetensors`), network, 'safetensors');
    for (const [file, count] of Object.entries(CHANNELS)) {
      await writeFile(join(folder.path, file), writePng(noise({ width: 9, height: 7, channels: count, depth: 8 })));
    }
    for (const scale of [2, 3.5]) {
      const { results, failed } = await run(NAMES, { upscaler: name, scale, tile: 8 });
      expect(failed).toEqual([]);
      const made = results.map(({ file }) => readPng(readFileSync(file)));
      const sides = [Math.trunc(9 * scale), Math.trunc(7 * scale)];
      expect(made.map((image) => [image.width, image.height, image.channels])).toEqual(
        channels.map((count) => [...sides, count]),
      );
    }
  });
});
