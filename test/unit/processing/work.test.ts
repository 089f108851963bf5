import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { evenTiles, referenceTiles } from '../../../app/imaging/tiling.ts';
import { WorkTooLargeError } from '../../../app/processing/errors.ts';
import type { TilingOptions } from '../../../app/processing/upscale/tile-grid.ts';
import { tileGrid } from '../../../app/processing/upscale/tile-grid.ts';
import { assertWithin, sumOf, workOf } from '../../../app/processing/upscale/work.ts';

const LIMITS = { maxInputPixels: 2 ** 26, maxOutputPixels: 2 ** 29 };
const COLORS = { inputChannels: 3, outputChannels: 3 } as const;
const NETWORK = { halo: 10, multipleOf: 2, scale: 4, workingBytesPerPixel: 20_000, ...COLORS };
const RGB = { channels: 3, depth: 8 } as const;

const paddings = fc.constantFrom({}, { padding: 'zeros' } as const, { padding: 'own' } as const);
const networks = fc.record({
  halo: fc.integer({ min: 0, max: 40 }),
  multipleOf: fc.constantFrom(1, 2, 4, 8, 64),
  scale: fc.constantFrom(1, 2, 4, 8),
  workingBytesPerPixel: fc.integer({ min: 500, max: 100_000 }),
});
const sources = fc.record({
  width: fc.integer({ min: 1, max: 900 }),
  height: fc.integer({ min: 1, max: 900 }),
  channels: fc.constantFrom<1 | 2 | 3 | 4>(1, 2, 3, 4),
  depth: fc.constantFrom<8 | 16>(8, 16),
});
const tilings: fc.Arbitrary<TilingOptions> = fc.record({
  tile: fc.oneof(fc.constant('auto' as const), fc.constant(0), fc.integer({ min: 4, max: 1000 })),
  tilePad: fc.oneof(fc.constant('auto' as const), fc.integer({ min: 0, max: 300 })),
  prePad: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 500 })),
  isOpaque: fc.boolean(),
  maxTile: fc.constantFrom(undefined, 64, 400),
  views: fc.constantFrom<1 | 2 | 4>(1, 2, 4),
});

describe('the work that is counted before it is begun', () => {
  it('is neither less than what is done nor more than twice as much, whatever the tiles', () => {
    fc.assert(
      fc.property(networks, paddings, sources, tilings, (sides, padding, source, options) => {
        const network = { ...sides, ...padding, ...COLORS };
        const { width, height, core, pad, isReference } = tileGrid(network, source, options);
        const rows = isReference
          ? referenceTiles(width, height, core, pad)
          : evenTiles(width, height, { core, halo: pad, multipleOf: network.multipleOf });
        // The runner ends with the last row that has something of the image in it.
        const tiles = rows.filter(([first]) => first && first.core.y < source.height).flat();
        const seen = tiles.reduce((sum, { window }) => sum + window.width * window.height, 0);
        const hasAlphaImage = (source.channels === 2 || source.channels === 4) && !(options.isOpaque && !isReference);
        const views = options.views ?? 1;
        const work = workOf(network, source, options);
        expect(work.tiles).toBe(rows.flat().length * views);
        expect(work.readPixels).toBe(seen * views * (hasAlphaImage ? 2 : 1));
      }),
      { numRuns: 2000 },
    );
  });

  it('is within bounds for the largest pictures and results that the limits allow', () => {
    const options = { tile: 'auto', tilePad: 'auto', prePad: 0, isOpaque: false, views: 4 } as const;
    const largest = workOf(NETWORK, { width: 8192, height: 8192, channels: 4, depth: 8 }, options);
    expect(() =>
      assertWithin(LIMITS, sumOf([largest, { tiles: 0, paddedPixels: 0, readPixels: 0, writtenPixels: 2 ** 29 }])),
    ).not.toThrow();
    const second = { width: 4096, height: 4096, ...RGB };
    const first = { width: 1024, height: 1024, ...RGB };
    const works = [first, second].map((source) => workOf(NETWORK, source, { ...options, views: 1 }));
    expect(() => assertWithin(LIMITS, sumOf(works))).not.toThrow();
  });

  it.each([
    ['pre_pad', { tile: 'auto', tilePad: 'auto', prePad: 200_000, isOpaque: true }, /at most 603979776 are allowed/],
    [
      'pre_pad beyond all memory',
      { tile: 1, tilePad: 0, prePad: Number.MAX_SAFE_INTEGER, isOpaque: true },
      /are allowed/,
    ],
    ['tile_pad', { tile: 1, tilePad: 1000, prePad: 0, isOpaque: true }, /at most 4831838208 are allowed/],
  ] as const)('is refused with the bound in less than 20 ms where %s makes too much of it', (_name, options, bound) => {
    const times = Array.from({ length: 9 }, () => {
      const start = performance.now();
      expect(() => assertWithin(LIMITS, workOf(NETWORK, { width: 1000, height: 800, ...RGB }, options))).toThrow(bound);
      return performance.now() - start;
    });
    expect(Math.min(...times)).toBeLessThan(20);
  });

  it('is refused where tiles are too many to be run', () => {
    const work = workOf(
      NETWORK,
      { width: 2000, height: 2000, ...RGB },
      { tile: 2, tilePad: 'auto', prePad: 0, isOpaque: true },
    );
    expect(() => assertWithin(LIMITS, work)).toThrow(WorkTooLargeError);
    expect(() => assertWithin(LIMITS, work)).toThrow(/1000000 tiles, at most 131072/);
  });
});
