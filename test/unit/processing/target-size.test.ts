import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { growth, isSizeAsked, targetSize } from '../../../app/processing/target-size.ts';

const LIMIT = 2 ** 29;
const size = (width: number, height: number) => ({ width, height });

describe('the size of a result', () => {
  it.each([
    ["the model's own scale where nothing is asked", size(41, 21), {}, 4, size(164, 84)],
    ['int(w * scale), as Python cuts it', size(41, 21), { scale: 2.5 }, 4, size(102, 52)],
    ['what the product of doubles is, not of decimals: 10 * 1.1 is 11', size(10, 3), { scale: 1.1 }, 4, size(11, 3)],
    ['0.29 * 100 is 28.999999999999996', size(100, 1), { scale: 0.29 }, 4, size(28, 1)],
    ['at least one pixel', size(5, 3), { scale: 0.01 }, 4, size(1, 1)],
    ['width and height exactly, whatever the ratio', size(40, 20), { width: 7, height: 9 }, 4, size(7, 9)],
    ['a width alone keeps the ratio', size(40, 21), { width: 100 }, 4, size(100, 53)],
    ['a height alone keeps the ratio', size(40, 21), { height: 100 }, 4, size(190, 100)],
    ['a side alone leaves at least one pixel of the other', size(1, 5000), { height: 10 }, 4, size(1, 10)],
  ])('is %s', (_name, input, asked, native, expected) => {
    expect(targetSize(input, asked, native, LIMIT)).toEqual(expected);
  });

  it('is bounded by pixels and by nothing else', () => {
    expect(targetSize(size(1, 1), { width: LIMIT, height: 1 }, 4, LIMIT)).toEqual(size(LIMIT, 1));
    expect(() => targetSize(size(1, 1), { width: LIMIT + 1, height: 1 }, 4, LIMIT)).toThrow(
      /536870913 x 1 pixels.*MAX_OUTPUT_PIXELS.*smaller width/,
    );
    expect(() => targetSize(size(41, 21), { scale: 1e9 }, 4, LIMIT)).toThrow(/MAX_OUTPUT_PIXELS.*smaller scale/);
    expect(() => targetSize(size(41, 21), { scale: 1e308 }, 4, LIMIT)).toThrow(/Infinity/);
  });

  it('is not asked for twice', () => {
    expect(() => targetSize(size(4, 4), { scale: 2, width: 8 }, 4, LIMIT)).toThrow(/either scale, or width/);
  });

  it('is whole, positive and within the limit for any numbers', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20_000 }),
        fc.integer({ min: 1, max: 20_000 }),
        fc.double({ min: 1e-9, max: 64, noNaN: true }),
        (width, height, scale) => {
          if (Math.trunc(width * scale) * Math.trunc(height * scale) > LIMIT) return;
          const result = targetSize(size(width, height), { scale }, 4, LIMIT);
          expect(Number.isInteger(result.width) && Number.isInteger(result.height)).toBe(true);
          expect(Math.min(result.width, result.height)).toBeGreaterThan(0);
          expect(Math.abs(result.width - width * scale)).toBeLessThanOrEqual(1);
        },
      ),
    );
  });
});

describe('growth', () => {
  it('is that of the side that grows more', () => {
    expect(growth(size(10, 10), size(20, 35))).toBe(3.5);
    expect(growth(size(10, 10), size(5, 1))).toBe(0.5);
  });

  it('may not be asked for at all', () => {
    expect([isSizeAsked({}), isSizeAsked({ scale: 1 }), isSizeAsked({ height: 3 })]).toEqual([false, true, true]);
  });
});
