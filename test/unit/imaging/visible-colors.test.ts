import { describe, expect, it } from '@jest/globals';
import type { Image } from '../../../app/imaging/image.ts';
import { rowsOf } from '../../../app/imaging/rows.ts';
import { visibleRows } from '../../../app/imaging/visible-colors.ts';
import { noise } from '../../support/images/images.ts';

/** Noise of which a share is hidden, with the number of each pixel as its colour. */
function numbered(width: number, height: number, hidden: number, seed: number): Image {
  const { data } = noise({ width, height, channels: 4, depth: 16 }, seed);
  for (let pixel = 0; pixel < width * height; pixel++) {
    data[4 * pixel] = pixel;
    if (((data[4 * pixel + 3] ?? 0) & 0xff) < hidden) data[4 * pixel + 3] = 0;
  }
  return { width, height, channels: 4, depth: 16, data };
}

/** How far a pixel is from the nearest visible one, squared, by looking at all of them. */
function nearestByForce({ width, data }: Image, pixel: number): number {
  let best = Infinity;
  for (let other = 0; 4 * other < data.length; other++) {
    if (data[4 * other + 3] !== 0) best = Math.min(best, squaredDistance(width, pixel, other));
  }
  return best;
}

function squaredDistance(width: number, a: number, b: number): number {
  return ((a % width) - (b % width)) ** 2 + (Math.trunc(a / width) - Math.trunc(b / width)) ** 2;
}

describe('Hidden pixels', () => {
  it.each([
    [7, 5, 128, 1],
    [1, 9, 200, 2],
    [13, 1, 200, 3],
    [17, 12, 250, 4],
    [12, 17, 254, 5],
    [9, 9, 20, 6],
  ])('take the colour of the nearest visible one (%d x %d, %d/256 hidden)', (width, height, hidden, seed) => {
    const image = numbered(width, height, hidden, seed);
    const { data } = { data: visibleRows(rowsOf(image)).readRows(0, height) };
    for (let pixel = 0; pixel < width * height; pixel++) {
      const taken = data[4 * pixel] ?? 0;
      expect(squaredDistance(width, pixel, taken)).toBe(nearestByForce(image, pixel));
      expect([...data.subarray(4 * pixel + 1, 4 * pixel + 3)]).toEqual([
        ...image.data.subarray(4 * taken + 1, 4 * taken + 3),
      ]);
      expect(data[4 * pixel + 3]).toBe(image.data[4 * pixel + 3]);
    }
  });

  it('take gray too, in 8 bits', () => {
    const data = Uint8Array.of(9, 0, 1, 0, 50, 255, 2, 0);
    const image = { width: 4, height: 1, channels: 2, depth: 8, data } as const;
    expect([...visibleRows(rowsOf(image)).readRows(0, 1)]).toEqual([50, 0, 50, 0, 50, 255, 50, 0]);
    expect(data[0]).toBe(9);
  });

  it('stay as they are where nothing is visible, and visible ones where nothing is hidden', () => {
    for (const alpha of [0, 1]) {
      const rows = rowsOf({ width: 2, height: 1, channels: 2, depth: 8, data: Uint8Array.of(5, alpha, 6, alpha) });
      expect(visibleRows(rows)).toBe(rows);
    }
  });
});
