import { describe, expect, it } from '@jest/globals';
import { extrasSize } from '../../../app/processing/extras-size.ts';
import { targetSize } from '../../../app/processing/upscale/target-size.ts';

describe('extrasSize', () => {
  const box = (width: number, height: number, isCropped = true) => ({ width, height, isCropped });

  it('leaves a factor to the upscaler, which takes the exact product of the decimals', () => {
    const { asked } = extrasSize({ width: 100, height: 20 }, { scale: 2.3 });
    expect(targetSize({ width: 100, height: 20 }, asked, 1, 1e6)).toEqual({ width: 230, height: 46 });
    expect(extrasSize({ width: 101, height: 67 }, { scale: 1.5 })).toEqual({ asked: { scale: 1.5 } });
  });

  it('covers a box by the side that has to grow more, and keeps the middle', () => {
    expect(extrasSize({ width: 100, height: 50 }, box(300, 300))).toEqual({
      asked: { width: 600, height: 300 },
      region: { x: 150, y: 0, width: 300, height: 300 },
    });
    expect(extrasSize({ width: 50, height: 101 }, box(101, 200))).toEqual({
      asked: { width: 101, height: 204 },
      region: { x: 0, y: 2, width: 101, height: 200 },
    });
  });

  it('cuts nothing where the covering size is the box, or nothing is to be cut', () => {
    expect(extrasSize({ width: 100, height: 50 }, box(200, 100))).toEqual({ asked: { width: 200, height: 100 } });
    expect(extrasSize({ width: 100, height: 50 }, box(300, 300, false))).toEqual({
      asked: { width: 600, height: 300 },
    });
  });

  it('never comes short of the box, whatever the numbers', () => {
    for (let width = 1; width <= 60; width++)
      for (let height = 1; height <= 60; height++) {
        const { asked } = extrasSize({ width: 49, height: 31 }, box(width, height));
        expect(asked.width).toBeGreaterThanOrEqual(width);
        expect(asked.height).toBeGreaterThanOrEqual(height);
        expect(asked.width === width || asked.height === height).toBe(true);
      }
  });
});
