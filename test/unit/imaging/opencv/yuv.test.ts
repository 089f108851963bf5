import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { BitDepth } from '../../../../app/imaging/image.ts';
import { allocateSamples, maxSample } from '../../../../app/imaging/image.ts';
import { joinLumaAndChroma } from '../../../../app/imaging/opencv/yuv.ts';

const join = (light: readonly number[], color: readonly number[], depth: BitDepth = 8): number[] => {
  const samples = (values: readonly number[]) => {
    const array = allocateSamples(depth, values.length);
    array.set(values);
    return array;
  };
  const target = allocateSamples(depth, light.length);
  joinLumaAndChroma(samples(light), samples(color), target, depth);
  return [...target];
};

const luma = ([r = NaN, g = NaN, b = NaN]: readonly number[]): number => 0.299 * r + 0.587 * g + 0.114 * b;

describe('Luma of one picture with the chroma of another', () => {
  it('is the first in gray where the second is gray', () => {
    expect(join([10, 200, 30], [77, 77, 77])).toEqual([124, 124, 124]);
    expect(join([9, 9, 9], [255, 255, 255])).toEqual([9, 9, 9]);
    expect(join([40_000, 40_000, 40_000], [1, 1, 1], 16)).toEqual([40_000, 40_000, 40_000]);
  });

  it.each([8, 16] as const)('is a picture joined with itself, but for rounding, at %i bits', (depth) => {
    const limit = maxSample(depth);
    // Chroma has no more range than light: the reference clips that of saturated red and blue.
    const dull = fc
      .integer({ min: 0, max: Math.floor(limit / 2) })
      .chain((low) => fc.tuple(...[0, 1, 2].map(() => fc.integer({ min: low, max: low + Math.floor(limit / 2) }))));
    fc.assert(
      fc.property(dull, (pixel) => {
        const apart = join(pixel, pixel, depth).map((value, i) => Math.abs(value - (pixel[i] ?? NaN)));
        return Math.max(...apart) <= 3 + limit / 2000; // the coefficients have three digits
      }),
    );
  });

  it('keeps the luma within a level where no channel is clipped', () => {
    const sample = fc.integer({ min: 0, max: 255 });
    const pixel = fc.tuple(sample, sample, sample);
    fc.assert(
      fc.property(pixel, pixel, (light, color) => {
        const joined = join(light, color);
        if (joined.some((value) => value === 0 || value === 255)) return true;
        return Math.abs(luma(joined) - luma(light)) <= 1;
      }),
      { numRuns: 2000 },
    );
  });

  it('may write over either of its operands', () => {
    const light = Uint8Array.of(12, 34, 56, 200, 100, 50);
    const color = Uint8Array.of(200, 10, 10, 10, 10, 200);
    const expected = join([...light], [...color]);
    joinLumaAndChroma(light, color, light, 8);
    expect([...light]).toEqual(expected);
  });
});
