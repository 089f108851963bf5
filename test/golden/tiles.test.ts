import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import type { Channels, Image } from '../../app/imaging/image.ts';
import { allocateSamples } from '../../app/imaging/image.ts';
import { resampleImage } from '../../app/imaging/pillow/resample.ts';
import type { TilingOptions } from '../../app/processing/upscale/tile-grid.ts';
import { writeCheckpoint } from '../support/checkpoints/checkpoint-writer.ts';
import type { HashedCheckpoint } from '../support/checkpoints/hashed-checkpoint.ts';
import { createHashedCheckpoint } from '../support/checkpoints/hashed-checkpoint.ts';
import type { Difference } from '../support/images/images.ts';
import { difference, gradient, noise } from '../support/images/images.ts';
import type { TiledUpscale, UpscaleJob } from '../support/networks/network-process.ts';
import { networkInFolder } from '../support/networks/network-in-folder.ts';
import { readPng } from '../support/images/png.ts';
import { referencePath } from '../support/machines/reference-path.ts';
import { describeWithReference } from '../support/reference.ts';
import {
  networkFixture,
  smallNetwork,
  writeSmallCheckpoint,
  writeSmallNetwork,
} from '../support/networks/small-networks.ts';
import { readNamed } from '../support/networks/close-tensors.ts';
import { overflowingNetwork } from '../support/networks/overflowing-network.ts';

interface TileCase {
  readonly name: string;
  readonly network: string;
  readonly bits: 8 | 16;
  readonly tile: number;
  readonly tile_pad: number;
  readonly pre_pad: number;
}

const at = networkInFolder();

function smallCheckpoint(name: string): string {
  return writeSmallCheckpoint(at.folder, name);
}

/** One image through a network. */
async function upscale(file: string, image: Image, tiling: Partial<TilingOptions>): Promise<TiledUpscale> {
  const [result] = await upscaleAll(file, [jobOf(image, tiling)]);
  if (!result) throw new Error('no result');
  return result;
}

function upscaleAll(file: string, jobs: readonly UpscaleJob[]): Promise<readonly TiledUpscale[]> {
  return at.child.upscale({ kind: 'upscale', files: { file }, jobs, folder: at.folder });
}

function jobOf(image: Image, tiling: Partial<TilingOptions>): UpscaleJob {
  return { image, tiling: { tile: 0, tilePad: 'auto', prePad: 0, isOpaque: false, ...tiling } };
}

/** The samples that a golden keeps as a tensor [H, W, C]. */
function imageOf(file: string, name: string, depth: 8 | 16): Image {
  const { shape, values } = readNamed(file, name);
  const [height = 0, width = 0, channels = 0] = shape;
  const data = allocateSamples(depth, values.length);
  data.set(values);
  return { width, height, channels: channels as Channels, depth, data };
}

function differenceOf(actual: TiledUpscale | undefined, expected: TiledUpscale | undefined): Difference {
  if (!actual || !expected) throw new Error('no result');
  return difference(actual.image, expected.image);
}

/** A network of 23 blocks on a slow machine that has other things to do. */
const SLOW = 120_000;

/** RealESRGANer rounds as we do, but its sums differ in the last bits. */
const levels = (bits: number): number => (bits === 16 ? 255 : 1);

describe('An explicit grid is the one of RealESRGANer', () => {
  const cases = JSON.parse(readFileSync(networkFixture('tiles.json'), 'utf8')) as TileCase[];

  async function expectSame({ name, network, bits, tile, tile_pad, pre_pad }: TileCase): Promise<void> {
    const golden = networkFixture(`tiles-${name}.safetensors`);
    const tiling = { tile, tilePad: tile_pad, prePad: pre_pad };
    const { image } = await upscale(smallCheckpoint(network), imageOf(golden, 'input', bits), tiling);
    expect(difference(image, imageOf(golden, 'output', bits)).max).toBeLessThanOrEqual(levels(bits));
  }

  it.each(cases)('$name', expectSame);
});

interface PipelineCase extends Omit<TileCase, 'network' | 'bits'> {
  readonly kind: string;
  readonly input: string;
  readonly output: string;
  readonly weights: string;
  readonly tolerance_levels: number;
  readonly resized?: { readonly file: string; readonly scale: number };
}

describeWithReference('Trained weights', ['goldens', 'pipelines', 'upscale'], (goldens) => {
  const load = (file: string): Image => readPng(readFileSync(join(goldens, file)));
  const index = JSON.parse(readFileSync(join(goldens, 'index.json'), 'utf8')) as PipelineCase[];
  const weights = (file: string): string => referencePath('weights', file) ?? '';

  it.each(index.filter(({ kind }) => kind === 'realesrganer'))('$name equals RealESRGANer', async (golden) => {
    const input = load(golden.input);
    const tiling = { tile: golden.tile, tilePad: golden.tile_pad, prePad: golden.pre_pad };
    const { image } = await upscale(weights(golden.weights), input, tiling);
    const tolerance = golden.tolerance_levels * levels(input.depth);
    expect(difference(image, load(golden.output)).max).toBeLessThanOrEqual(tolerance);
    if (!golden.resized) return;
    const { file, scale } = golden.resized;
    const [width, height] = [Math.trunc(input.width * scale), Math.trunc(input.height * scale)];
    expect(difference(resampleImage(image, width, height, 'LANCZOS'), load(file)).max).toBeLessThanOrEqual(tolerance);
  });

  it.each(['rgb-untiled.in.png', 'alpha-tile64.in.png', 'gray.in.png', 'alpha-16bit.in.png'])(
    '%s in tiles equals the whole, sample by sample',
    async (file) => {
      const [whole, tiled] = await upscaleAll(weights('realesr-animevideov3.pth'), [
        jobOf(load(file), { tile: 0 }),
        jobOf(load(file), { tile: 48 }),
      ]);
      expect(tiled?.used).toMatchObject({ tile: 48, halo: 18 });
      expect(tiled?.used.tiles).toBeGreaterThan(1);
      expect(differenceOf(tiled, whole).max).toBe(0);
    },
    SLOW,
  );
});

describeWithReference('A photo', ['goldens', 'pipelines', 'upscale', 'rgb-untiled.in.png'], (file) => {
  it.each(['RealESRGAN_x4plus_anime_6B', 'RealESRGAN_x2plus'])(
    'through pseudo-random weights of %s does not show its tiles',
    async (name) => {
      const hashed = createHashedCheckpoint(name);
      const photo = readPng(readFileSync(file));
      const [whole, tiled] = await upscaleAll(hashed.file, [jobOf(photo, { tile: 0 }), jobOf(photo, { tile: 48 })]);
      hashed.remove();
      expect(tiled?.used.tiles).toBeGreaterThan(1);
      expect(differenceOf(tiled, whole).max).toBeLessThanOrEqual(1);
    },
    SLOW,
  );
});

describe('Tiles that the network chooses', () => {
  it(
    'cannot be told from the whole image, not even of noise through 6 blocks',
    async () => {
      const hashed = createHashedCheckpoint('RealESRGAN_x4plus_anime_6B');
      const image = noise({ width: 65, height: 50, channels: 3, depth: 8 });
      const [whole, tiled] = await upscaleAll(hashed.file, [jobOf(image, { tile: 0 }), jobOf(image, { tile: 33 })]);
      hashed.remove();
      expect(tiled?.used).toEqual({ tiles: 4, tile: 33, halo: 12 });
      expect(differenceOf(tiled, whole).max).toBeLessThanOrEqual(1);
    },
    SLOW,
  );

  it.each(['compact-x1', 'compact-x2', 'compact-x3', 'compact-x8', 'compact-x2-gray'])(
    'are the whole image, sample by sample, for convolutions alone: %s',
    async (name) => {
      const file = smallCheckpoint(name);
      for (const channels of [1, 2, 3, 4] as const) {
        const image = noise({ width: 31, height: 23, channels, depth: 16 }, channels);
        const [whole, tiled] = await upscaleAll(file, [jobOf(image, { tile: 0 }), jobOf(image, { tile: 9 })]);
        expect(differenceOf(tiled, whole).max).toBeLessThanOrEqual(1); // of 65535: other sizes, other order of sums
        expect(tiled?.used.tiles).toBe(12);
      }
    },
  );

  it('write every row of the result once and tell every tile', async () => {
    const image = noise({ width: 31, height: 23, channels: 4, depth: 16 });
    const tiling = { tile: 10 };
    const { image: result, bytes, told, used } = await upscale(smallCheckpoint('old-x2'), image, tiling);
    expect([result.width, result.height, bytes]).toEqual([62, 46, 62 * 46 * 4 * 2]);
    expect(used.tiles).toBe(12);
    expect(told).toEqual(Array.from({ length: 13 }, (_, i) => i));
  });

  it('make no more of a tiny image than it is', async () => {
    const { used } = await upscale(smallCheckpoint('new-x4'), noise({ width: 5, height: 3, channels: 3, depth: 8 }), {
      tile: 'auto',
    });
    expect(used.tiles).toBe(1);
  });
});

describe('Sizes that a network folds unevenly', () => {
  /** `image` with its last columns and rows mirrored to `width` x `height`; a single one is repeated. */
  function mirrored(image: Image, width: number, height: number): Image {
    const at = (index: number, size: number) => (index < size ? index : Math.max(0, 2 * (size - 1) - index));
    const { channels, depth } = image;
    const data = allocateSamples(depth, width * height * channels);
    for (let i = 0; i < data.length; i++) {
      const [x, y] = [Math.trunc(i / channels) % width, Math.trunc(i / channels / width)];
      data[i] = image.data[(at(y, image.height) * image.width + at(x, image.width)) * channels + (i % channels)] ?? 0;
    }
    return { width, height, channels, depth, data };
  }

  function cropped(image: Image, width: number, height: number): Image {
    const { channels, depth } = image;
    const rows = Array.from({ length: height }, (_, y) => {
      const from = y * image.width * channels;
      return [...image.data.subarray(from, from + width * channels)];
    });
    const data = allocateSamples(depth, width * height * channels);
    data.set(rows.flat());
    return { width, height, channels, depth, data };
  }

  const sizes = [
    [1, 1],
    [1, 40],
    [40, 1],
    [5, 3],
    [2, 7],
  ] as const;

  async function expectMirrored(file: string, fold: number, scale: number, [width, height]: readonly [number, number]) {
    const image = noise({ width, height, channels: 3, depth: 8 });
    const toFold = (side: number): number => Math.ceil(side / fold) * fold;
    const whole = mirrored(image, toFold(width), toFold(height));
    const result = await upscale(file, image, { tile: 'auto' });
    const expected = cropped((await upscale(file, whole, { tile: 0 })).image, width * scale, height * scale);
    expect(difference(result.image, expected).max).toBe(0);
  }

  it.each(sizes)(
    '%i x %i goes through RealESRGAN_x2plus as if it were mirrored at its edges',
    async (...size) => {
      x2plus ??= createHashedCheckpoint('RealESRGAN_x2plus');
      await expectMirrored(x2plus.file, 2, 2, size);
    },
    SLOW,
  );

  it.each([
    [5, 3],
    [3, 7],
  ] as const)('%i x %i goes through a network that folds by 4 likewise', async (...size) => {
    await expectMirrored(smallCheckpoint('new-x1-unshuffle4'), 4, 1, size);
  });

  it.each([
    [7, 5],
    [9, 0],
    [16, 3],
  ])('an explicit tile of %i with %i pixels around it is taken, odd or even', async (tile, tilePad) => {
    const image = gradient({ width: 21, height: 17, channels: 3, depth: 8 });
    const { image: result } = await upscale(smallCheckpoint('new-x2-unshuffle2'), image, { tile, tilePad });
    expect([result.width, result.height]).toEqual([42, 34]);
  });
});

let x2plus: HashedCheckpoint | undefined;
afterAll(() => x2plus?.remove());

describe('Channels', () => {
  const size = { width: 13, height: 9 } as const;

  /** Channels `from` to `to` - 1 of an image. */
  function channelsOf(image: Image, from: number, to: number): Image {
    const picked = image.data.filter((_, i) => i % image.channels >= from && i % image.channels < to);
    return { ...image, channels: (to - from) as Channels, data: picked };
  }

  it.each([8, 16] as const)('of colour and of alpha do not touch each other, at %i bits', async (depth) => {
    const file = smallCheckpoint('new-x2');
    const image = noise({ ...size, channels: 4, depth });
    const { image: whole } = await upscale(file, image, {});
    const { image: color } = await upscale(file, channelsOf(image, 0, 3), {});
    const { image: alpha } = await upscale(file, channelsOf(image, 3, 4), {});
    expect(difference(channelsOf(whole, 0, 3), color).max).toBeLessThanOrEqual(1);
    expect(difference(channelsOf(whole, 3, 4), alpha).max).toBeLessThanOrEqual(1);
  });

  it.each([8, 16] as const)('of gray and of its alpha are two gray images, at %i bits', async (depth) => {
    const file = smallCheckpoint('new-x2');
    const image = noise({ ...size, channels: 2, depth });
    const { image: whole } = await upscale(file, image, {});
    for (const channel of [0, 1]) {
      const { image: alone } = await upscale(file, channelsOf(image, channel, channel + 1), {});
      expect(difference(channelsOf(whole, channel, channel + 1), alone).max).toBeLessThanOrEqual(1);
    }
  });

  it('go through a gray network one by one', async () => {
    const file = smallCheckpoint('new-x2-gray-unshuffle2');
    const image = noise({ ...size, channels: 4, depth: 8 });
    const { image: whole } = await upscale(file, image, {});
    for (const channel of [0, 1, 2, 3]) {
      const { image: alone } = await upscale(file, channelsOf(image, channel, channel + 1), {});
      expect(difference(channelsOf(whole, channel, channel + 1), alone).max).toBeLessThanOrEqual(1);
    }
  });

  it('of full alpha stay full, and leave the colours as they are without', async () => {
    const file = smallCheckpoint('new-x2');
    const image = noise({ ...size, channels: 4, depth: 8 });
    image.data.forEach((_, i) => i % 4 === 3 && (image.data[i] = 255));
    const { image: whole } = await upscale(file, image, { isOpaque: true });
    const { image: color } = await upscale(file, channelsOf(image, 0, 3), {});
    expect(new Set(channelsOf(whole, 3, 4).data)).toEqual(new Set([255]));
    expect(difference(channelsOf(whole, 0, 3), color).max).toBeLessThanOrEqual(1);
  });
});

describe('Images of one batch', () => {
  it('come out as each of them does alone, whatever their sizes', async () => {
    const file = smallCheckpoint('new-x2-unshuffle2');
    const sizes = [
      [9, 8],
      [30, 5],
      [4, 21],
    ] as const;
    const images = sizes.map(([width, height]) => noise({ width, height, channels: 3, depth: 8 }));
    const together = await upscaleAll(
      file,
      images.map((image) => jobOf(image, { tile: 12 })),
    );
    for (const [i, image] of images.entries()) {
      expect(differenceOf(together[i], await upscale(file, image, { tile: 12 })).max).toBeLessThanOrEqual(1);
    }
  });
});

describe('A network that answers with no numbers', () => {
  it('is an error that says where it shows, never a picture', async () => {
    const file = join(at.folder, 'damaged.pth');
    writeCheckpoint(file, overflowingNetwork('NaN'), { format: 'pth-zip' });
    const image = noise({ width: 9, height: 7, channels: 3, depth: 8 });
    await expect(upscale(file, image, {})).rejects.toThrow(/not numbers at x 0, y 0/);
  });
});

describe('Two blended checkpoints', () => {
  it('are the first at strength 1, the second at 0 and neither between', async () => {
    const network = smallNetwork('compact-x4');
    const [first, second] = ['first.pth', 'second.safetensors'].map((name) => join(at.folder, name)) as [
      string,
      string,
    ];
    writeSmallNetwork(first, network, 'pth-legacy');
    writeSmallNetwork(second, { ...network, seed: network.seed + 1 }, 'safetensors');
    const image = noise({ width: 12, height: 10, channels: 3, depth: 8 });
    const blended = async (strength: number): Promise<Image> => {
      const files = { file: first, blend: { file: second, strength } };
      const [result] = await at.child.upscale({ kind: 'upscale', files, jobs: [jobOf(image, {})], folder: at.folder });
      if (!result) throw new Error('no result');
      return result.image;
    };
    const [alone, other] = [await upscale(first, image, {}), await upscale(second, image, {})];
    expect(difference(await blended(1), alone.image).max).toBe(0);
    expect(difference(await blended(0), other.image).max).toBe(0);
    const between = await blended(0.5);
    expect(difference(between, alone.image).mean).toBeGreaterThan(1);
    expect(difference(between, other.image).mean).toBeGreaterThan(1);
  });
});
