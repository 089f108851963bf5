import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { scaledSide } from '../../../app/options/scaled-side.ts';

const side = fc.integer({ min: 1, max: 100_000 });

describe('a side times a factor', () => {
  // As Python 3 prints max(1, int(Decimal(str(scale)) * side)).
  const FROM_PYTHON: readonly (readonly [side: number, scale: number, expected: number])[] = [
    [100, 2.3, 230],
    [100, 0.29, 29],
    [100, 1.1, 110],
    [100, 1.15, 115],
    [41, 2.5, 102],
    [10, 0.7, 7],
    [1000, 1.001, 1001],
    [100, 0.57, 57],
    [100, 4.35, 435],
    [3, 0.3333333333333333, 1],
    [3, 0.3333333333333333, 1],
    [49, 0.24489795918367346, 11],
    [1920, 1.2, 2304],
    [1080, 1.1, 1188],
    [5, 0.01, 1],
    [1, 1e-7, 1],
    [10000000, 1.3e-6, 13],
    [4096, 0.1, 409],
    [30, 0.1, 3],
    [1, 2.9999999999999996, 2],
    [3000, 1.9, 5700],
    [16383, 2.2, 36042],
    [100, 8.2, 820],
    [7, 1e21, 7000000000000000000000],
    [20000, 5e-324, 1],
    [2720, 1.4, 3808],
    [2590, 4.1, 10619],
    [6950, 4.6, 31970],
    [2950, 4.1, 12095],
    [1500, 4.85, 7275],
    [5130, 4.1, 21033],
    [6330, 4.6, 29118],
    [11385, 2.8, 31878],
  ];

  it.each(FROM_PYTHON)('%d times %d is %d', (of, scale, expected) => {
    expect(scaledSide(of, scale)).toBe(expected);
  });

  it('is exact for every factor of up to nine decimals', () => {
    fc.assert(
      fc.property(
        side,
        fc.integer({ min: 1, max: 999_999_999 }),
        fc.integer({ min: 0, max: 9 }),
        (of, digits, places) => {
          const exact = Number((BigInt(of) * BigInt(digits)) / 10n ** BigInt(places));
          expect(scaledSide(of, Number(`${digits}e-${places}`))).toBe(Math.max(1, exact));
        },
      ),
    );
  });

  it('is never more than a pixel from what doubles make of it', () => {
    fc.assert(
      fc.property(side, fc.double({ min: 1e-9, max: 1000, noNaN: true, minExcluded: true }), (of, scale) => {
        expect(Math.abs(scaledSide(of, scale) - Math.max(1, of * scale))).toBeLessThanOrEqual(1);
      }),
    );
  });
});
