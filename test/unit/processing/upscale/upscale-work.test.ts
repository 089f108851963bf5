import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { join } from 'node:path';
import { recognise } from '../../../../app/architectures/registry.ts';
import { openCheckpoint } from '../../../../app/checkpoints/open-checkpoint.ts';
import type { ImageShape } from '../../../../app/imaging/image.ts';
import { evenTiles, referenceTiles } from '../../../../app/imaging/tiling.ts';
import { upscaleOptions } from '../../../../app/options/upscale-options.ts';
import { OutputTooLargeError, WorkTooLargeError } from '../../../../app/processing/errors.ts';
import { imagesSeen } from '../../../../app/architectures/picture-channels.ts';
import { passesFor, viewsFor } from '../../../../app/processing/upscale/passes.ts';
import { growth, targetSize } from '../../../../app/processing/upscale/target-size.ts';
import { pixelsSeen, tileGrid, tilingOf } from '../../../../app/processing/upscale/tile-grid.ts';
import type { NetworkPlan } from '../../../../app/processing/upscale/upscale-work.ts';
import { assertUpscaleFits, workOfUpscale } from '../../../../app/processing/upscale/upscale-work.ts';
import { NETWORK_UPSCALERS } from '../../../../app/processing/upscale/upscalers.ts';
import { assertWithin } from '../../../../app/processing/upscale/work.ts';
import { manifestShapes, shapeDict } from '../../../support/checkpoints/shape-dict.ts';

const LIMITS = {
  maxInputPixels: 2 ** 26,
  maxOutputPixels: 2 ** 29,
  modelUpscale: 'x4plus',
  tile: 'auto',
  tilePad: 'auto',
} as const;
const OFFICIAL_FILES: ReadonlyMap<string, string> = new Map([
  ['REALESRGAN_X2PLUS', 'RealESRGAN_x2plus'],
  ['REALESRGAN_X4PLUS', 'RealESRGAN_x4plus'],
  ['REALESRNET_X4PLUS', 'RealESRNet_x4plus'],
  ['REALESRGAN_X4PLUS_ANIME', 'RealESRGAN_x4plus_anime_6B'],
  ['REALESR_ANIMEVIDEO_V3', 'realesr-animevideov3'],
  ['REALESR_GENERAL_X4_V3', 'realesr-general-x4v3'],
]);
const OWN_FILE = join(import.meta.dirname, '../../../../models/compact-x2.safetensors');

const shapes = fc.record({
  width: fc.integer({ min: 1, max: 500 }),
  height: fc.integer({ min: 1, max: 500 }),
  channels: fc.constantFrom<1 | 2 | 3 | 4>(1, 2, 3, 4),
  depth: fc.constant<8 | 16>(8),
});
const asked = fc.record({
  upscaler: fc.constantFrom(...NETWORK_UPSCALERS.keys()),
  scale: fc.double({ min: 0.3, max: 20, noNaN: true }),
  tile: fc.constantFrom('auto' as const, 0, 8, 64, 300),
  tile_pad: fc.constantFrom('auto' as const, 0, 10, 200),
  pre_pad: fc.constantFrom(0, 10, 400),
  tta: fc.constantFrom('auto' as const, 1, 2, 4),
});

/** Pixels that networks are shown and that are written, by going through the very tiles that they run over. */
function workDone(image: ImageShape, { name, network, size }: NetworkPlan, fields: object, isOpaque: boolean): number {
  const options = upscaleOptions.parse(fields);
  let [source, pixels] = [image, size.width * size.height];
  for (let pass = 0; pass < passesFor(network.scale, growth(image, size)); pass++) {
    const cut = { ...tilingOf(options, LIMITS), isOpaque };
    const views = viewsFor(name, pixelsSeen(network, source, cut), options, cut);
    const { width, height, core, pad, isReference } = tileGrid(network, source, { ...cut, views });
    const rows = isReference
      ? referenceTiles(width, height, core, pad)
      : evenTiles(width, height, { core, halo: pad, multipleOf: network.multipleOf });
    const { height: needed } = source;
    const tiles = rows.filter(([first]) => first !== undefined && first.core.y < needed).flat();
    const seen = tiles.reduce((sum, { window }) => sum + window.width * window.height, 0);
    pixels += seen * views * imagesSeen(network, { channels: image.channels, isOpaque: isOpaque && !isReference });
    source = { ...source, width: source.width * network.scale, height: source.height * network.scale };
    pixels += source.width * source.height;
  }
  return pixels;
}

function isRefusal(check: () => void): boolean {
  try {
    check();
    return false;
  } catch (error) {
    if (error instanceof WorkTooLargeError || error instanceof OutputTooLargeError) return true;
    throw error;
  }
}

describe('the work of an upscale, by what its image says of itself', () => {
  it.each([...NETWORK_UPSCALERS])('cuts tiles for %s as its file asks for', (name, { tiling }) => {
    const file = OFFICIAL_FILES.get(name);
    const network = recognise(file === undefined ? openCheckpoint(OWN_FILE) : shapeDict(manifestShapes(file)));
    const { halo, multipleOf, scale, workingBytesPerPixel, inputChannels, outputChannels } = network;
    expect(network.padding).toBeUndefined();
    expect(tiling).toEqual({ halo, multipleOf, scale, workingBytesPerPixel, inputChannels, outputChannels });
  });

  it('is neither less than what is done nor more than twice as much, whatever the passes, tiles and views', () => {
    fc.assert(
      fc.property(shapes, asked, fc.boolean(), (image, fields, isOpaque) => {
        const name = fields.upscaler;
        const network = NETWORK_UPSCALERS.get(name)?.tiling;
        if (!network) throw new Error('a network has tiles');
        const options = upscaleOptions.parse(fields);
        const size = targetSize(image, options, 1, Infinity);
        const plan = { name, network, size };
        const cut = { ...tilingOf(options, LIMITS), isOpaque };
        const { readPixels, writtenPixels } = workOfUpscale(image, plan, options, cut);
        const done = workDone(image, plan, fields, isOpaque);
        expect(readPixels + writtenPixels).toBeGreaterThanOrEqual(done);
        expect(readPixels + writtenPixels).toBeLessThanOrEqual(2 * done);
      }),
      { numRuns: 500 },
    );
  });

  it('is refused at the door where the worker would refuse it, and only there', () => {
    const limits = { ...LIMITS, maxInputPixels: 300_000, maxOutputPixels: 400_000 };
    fc.assert(
      fc.property(shapes, asked, (shape, fields) => {
        const image = { ...shape, channels: 3 as const };
        const options = upscaleOptions.parse(fields);
        const { upscaler: name } = options;
        const network = NETWORK_UPSCALERS.get(name)?.tiling;
        if (!network) throw new Error('a network has tiles');
        const byWorker = (shown: ImageShape) => () => {
          const size = targetSize(shown, options, network.scale, limits.maxOutputPixels);
          const cut = { ...tilingOf(options, limits), isOpaque: true };
          assertWithin(limits, workOfUpscale(shown, { name, network, size }, options, cut));
        };
        const turned = { ...image, width: image.height, height: image.width };
        const isRefused = [image, turned].every((shown) => isRefusal(byWorker(shown)));
        expect(isRefusal(() => assertUpscaleFits(image, { options }, limits))).toBe(isRefused);
      }),
      { numRuns: 500 },
    );
  });

  it('is taken for the least that may come where a file is not known yet, alpha may be full or AUTO may fall back', () => {
    const image = { width: 1000, height: 800, channels: 4, depth: 8 } as const;
    const check = (fields: object) => () => assertUpscaleFits(image, { options: upscaleOptions.parse(fields) }, LIMITS);
    expect(check({ upscaler: 'mine.pth', tile: 1 })).not.toThrow(); // its network may not cut as finely
    expect(check({ upscaler: 'mine.pth', pre_pad: 30_000 })).toThrow(WorkTooLargeError);
    expect(check({ scale: 2, tile: 1 })).toThrow(/tiles, at most 131072/);
    expect(check({ scale: 2, pre_pad: 30_000 })).toThrow(WorkTooLargeError);
    expect(check({ upscaler: 'LANCZOS', tile: 1, pre_pad: 1e9 })).not.toThrow(); // has no tiles
    expect(check({ upscaler: 'lanczos', scale: 40 })).toThrow(/MAX_OUTPUT_PIXELS/);
    expect(check({ upscaler: 'R-ESRGAN 4x+', tile: 1, tile_pad: 1000 })).toThrow(/at most 4831838208/);
  });
});

describe('the views of a picture', () => {
  const cut = { tile: 'auto', tilePad: 'auto', prePad: 0, isOpaque: true } as const;
  const viewsOf = (fields: object, width: number, height: number): number =>
    viewsFor('COMPACT_X2', width * height, upscaleOptions.parse({ upscaler: 'COMPACT_X2', ...fields }), cut);

  it.each([
    [300, 300, 4],
    [400, 400, 2],
    [512, 512, 1],
  ])('of %i x %i pixels are %i where none are asked for, and else as many as are', (width, height, views) => {
    expect([{}, { tta: 1 }, { tta: 4 }].map((fields) => viewsOf(fields, width, height))).toEqual([views, 1, 4]);
  });

  it('are one where a halo is asked for, or where the network has no time for more', () => {
    const options = upscaleOptions.parse({});
    expect(viewsFor('COMPACT_X2', 900, options, { ...cut, tilePad: 10 })).toBe(1);
    expect(viewsFor('REALESRGAN_X4PLUS', 900, options, cut)).toBe(1);
  });
});
