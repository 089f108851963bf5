import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { rowsOf } from '../../../app/imaging/rows.ts';
import type { TileRows } from '../../../app/imaging/tiling.ts';
import {
  commonWindow,
  evenTiles,
  padReflect,
  padZeros,
  referenceTiles,
  sparseTiles,
} from '../../../app/imaging/tiling.ts';

/** How often each pixel is written. */
function coverage(rows: TileRows, width: number, height: number): Uint8Array {
  const written = new Uint8Array(width * height);
  for (const { core } of rows.flat()) {
    for (let y = core.y; y < core.y + core.height; y++) {
      for (let x = core.x; x < core.x + core.width; x++) written[y * width + x] = (written[y * width + x] ?? 0) + 1;
    }
  }
  return written;
}

const side = fc.integer({ min: 1, max: 40 });

describe('evenTiles', () => {
  it('writes every pixel exactly once, with the halo around it or the edge of the image', () => {
    fc.assert(
      fc.property(
        fc.record({
          w: side,
          h: side,
          core: fc.constantFrom(0, 7, 16, 25, 33),
          halo: fc.integer({ min: 0, max: 20 }),
          multipleOf: fc.constantFrom(1, 2, 4),
          over: fc.nat(3),
        }),
        ({ w, h, core, halo, multipleOf, over }) => {
          const [width, height] = [w * multipleOf + (over % multipleOf), h * multipleOf];
          const rows = evenTiles(width, height, { core, halo, multipleOf });
          expect(coverage(rows, width, height).every((count) => count === 1)).toBe(true);
          expect(commonWindow(rows)).toBeDefined();
          for (const { core: kept, window } of rows.flat()) {
            expect(window.x % multipleOf).toBe(0);
            expect(window.width % multipleOf).toBe(width % multipleOf);
            expect(window.height % multipleOf).toBe(0);
            expect(window.x === 0 || kept.x - window.x >= halo).toBe(true);
            const right = window.x + window.width;
            expect(right === width || right - (kept.x + kept.width) >= halo).toBe(true);
            expect(right).toBeLessThanOrEqual(width);
          }
        },
      ),
    );
  });

  it('divides evenly, so that no sliver is left', () => {
    const [row] = evenTiles(100, 10, { core: 48, halo: 4, multipleOf: 1 });
    expect(row?.map(({ core }) => core.width)).toEqual([34, 34, 32]);
  });

  it('takes the whole image as one tile for core 0', () => {
    expect(evenTiles(30, 20, { core: 0, halo: 5, multipleOf: 1 }).flat()).toHaveLength(1);
  });
});

describe('sparseTiles', () => {
  /** A side of up to 900 whose last pixels may be beyond a multiple. */
  const long = fc.integer({ min: 1, max: 225 });

  it('writes every pixel exactly once, with the halo around it or the edge of the image, in windows of one size within bounds', () => {
    fc.assert(
      fc.property(
        fc.record({
          w: long,
          h: long,
          pixels: fc.constantFrom(1, 10_000, 50_000, 120_000, 1e9),
          halo: fc.integer({ min: 0, max: 70 }),
          multipleOf: fc.constantFrom(1, 2, 4),
          over: fc.nat(3),
        }),
        ({ w, h, pixels, halo, multipleOf, over }) => {
          const [width, height] = [w * 4 + (over % multipleOf), h * 4];
          const rows = sparseTiles(width, height, { pixels, halo, multipleOf });
          expect(coverage(rows, width, height).every((count) => count === 1)).toBe(true);
          const common = commonWindow(rows) ?? { width: 0, height: 0 };
          // A side of less than two steps and two halos is not cut.
          const smallest = (side: number) => Math.min(side, 2 * (64 + halo) + 3 * multipleOf + (side % multipleOf));
          expect(common.width * common.height).toBeGreaterThan(0);
          expect(common.width * common.height).toBeLessThanOrEqual(
            Math.max(pixels, smallest(width) * smallest(height)),
          );
          for (const { core: kept, window } of rows.flat()) {
            expect([kept.width > 0, kept.height > 0]).toEqual([true, true]);
            expect([window.x % multipleOf, window.y % multipleOf]).toEqual([0, 0]);
            const [right, bottom] = [window.x + window.width, window.y + window.height];
            expect(window.x === 0 || kept.x - window.x >= halo).toBe(true);
            expect(window.y === 0 || kept.y - window.y >= halo).toBe(true);
            expect(right === width || right - (kept.x + kept.width) >= halo).toBe(true);
            expect(bottom === height || bottom - (kept.y + kept.height) >= halo).toBe(true);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('see fewer pixels twice than equal cores in the same memory', () => {
    const overlap = { halo: 64, multipleOf: 16 };
    const seen = (rows: TileRows) => rows.flat().reduce((sum, { window }) => sum + window.width * window.height, 0);
    const [even, sparse] = [
      evenTiles(2000, 1504, { core: 448, ...overlap }),
      sparseTiles(2000, 1504, { pixels: 576 ** 2, ...overlap }),
    ];
    expect([even.flat().length, sparse.flat().length]).toEqual([20, 15]);
    expect(seen(sparse) / seen(even)).toBeLessThan(0.85);
  });
});

describe('referenceTiles', () => {
  it('steps by the tile, keeps the rest for the last one and cuts windows at the edge', () => {
    const [row] = referenceTiles(97, 10, 48, 4);
    expect(row?.map(({ core, window }) => [core.x, core.width, window.x, window.width])).toEqual([
      [0, 48, 0, 52],
      [48, 48, 44, 53],
      [96, 1, 92, 5],
    ]);
  });

  it('writes every pixel exactly once', () => {
    fc.assert(
      fc.property(side, side, fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 12 }), (w, h, tile, pad) => {
        expect(coverage(referenceTiles(w, h, tile, pad), w, h).every((count) => count === 1)).toBe(true);
      }),
    );
  });
});

describe('padZeros', () => {
  const image = rowsOf({ width: 2, height: 2, channels: 2, depth: 8, data: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) });

  it('adds zeros right and below, whatever rows are asked for', () => {
    const padded = padZeros(image, 1, 2);
    expect([padded.width, padded.height]).toEqual([3, 4]);
    expect([...padded.readRows(0, 4)]).toEqual([1, 2, 3, 4, 0, 0, 5, 6, 7, 8, 0, 0, ...Array<number>(12).fill(0)]);
    expect([...padded.readRows(1, 2)]).toEqual([5, 6, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect([...padded.readRows(3, 1)]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('is the picture where nothing is missing', () => {
    expect(padZeros(image, 0, 0)).toBe(image);
  });
});

describe('padReflect', () => {
  it('mirrors about the last pixel, to and fro where the side is shorter than the padding', () => {
    const image = rowsOf({ width: 3, height: 2, channels: 1, depth: 8, data: Uint8Array.of(1, 2, 3, 4, 5, 6) });
    const padded = padReflect(image, 4, 2);
    expect([padded.width, padded.height]).toEqual([7, 4]);
    expect([...padded.readRows(1, 2)]).toEqual([4, 5, 6, 5, 4, 5, 6, 1, 2, 3, 2, 1, 2, 3]);
  });

  it('repeats a single pixel', () => {
    const image = rowsOf({ width: 1, height: 1, channels: 3, depth: 8, data: Uint8Array.of(7, 8, 9) });
    expect([...padReflect(image, 1, 1).readRows(0, 2)]).toEqual([7, 8, 9, 7, 8, 9, 7, 8, 9, 7, 8, 9]);
  });
});
