import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Size } from '../../../../app/processing/result.ts';
import type { AskedSize } from '../../../../app/processing/upscale/target-size.ts';
import { coverCrop, growth, isSizeAsked, targetSize } from '../../../../app/processing/upscale/target-size.ts';

const LIMIT = 2 ** 29;
const size = (width: number, height: number) => ({ width, height });

describe('the size of a result', () => {
  it.each<[what: string, input: Size, asked: AskedSize, expected: Size]>([
    ["the model's own scale where nothing is asked", size(41, 21), {}, size(164, 84)],
    ['int(w * scale), as Python cuts it', size(41, 21), { scale: 2.5 }, size(102, 52)],
    ['the product of decimals, not of doubles', size(100, 10), { scale: 2.3 }, size(230, 23)],
    ['at least one pixel', size(5, 3), { scale: 0.01 }, size(1, 1)],
    ['width and height exactly, whatever the ratio', size(40, 20), { width: 7, height: 9 }, size(7, 9)],
    ['in the ratio where a width is alone', size(40, 21), { width: 100 }, size(100, 53)],
    ['in the ratio where a height is alone', size(40, 21), { height: 100 }, size(190, 100)],
    ['as large as goes into what is asked', size(40, 20), { width: 100, height: 100, fit: 'inside' }, size(100, 50)],
    ['inside of a low box as high as it', size(40, 20), { width: 100, height: 30, fit: 'inside' }, size(60, 30)],
    ['large enough to cover what is asked', size(40, 20), { width: 100, height: 100, fit: 'cover' }, size(200, 100)],
    ['exact where it is told to fill', size(40, 20), { width: 100, height: 100, fit: 'fill' }, size(100, 100)],
    ['in the ratio beside one side, whatever the fit', size(40, 20), { width: 100, fit: 'cover' }, size(100, 50)],
    ['at least one pixel beside a height', size(1, 5000), { height: 10 }, size(1, 10)],
  ])('is %s', (_what, input, asked, expected) => {
    expect(targetSize(input, asked, 4, LIMIT)).toEqual(expected);
  });

  it('is bounded by pixels and by nothing else', () => {
    expect(targetSize(size(1, 1), { width: LIMIT, height: 1 }, 4, LIMIT)).toEqual(size(LIMIT, 1));
    expect(() => targetSize(size(1, 1), { width: LIMIT + 1, height: 1 }, 4, LIMIT)).toThrow(
      /536870913 x 1 pixels.*MAX_OUTPUT_PIXELS.*smaller size/,
    );
    expect(() => targetSize(size(41, 21), { scale: 1e9 }, 4, LIMIT)).toThrow(/MAX_OUTPUT_PIXELS.*smaller size/);
    expect(() => targetSize(size(41, 21), { scale: 1e308 }, 4, LIMIT)).toThrow(/Infinity/);
  });

  it('is cut out of the middle of what covers it', () => {
    const asked = { width: 100, height: 99, fit: 'cover' } as const;
    expect(coverCrop(size(200, 100), asked)).toEqual({ x: 50, y: 0, width: 100, height: 99 });
    expect(coverCrop(size(100, 99), asked)).toBeUndefined();
    expect(coverCrop(size(200, 100), { ...asked, fit: 'inside' })).toBeUndefined();
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
