import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Image, ImageShape } from '../../../../app/imaging/image.ts';
import { hasAlpha, maxSample } from '../../../../app/imaging/image.ts';
import { resampleImage, resampleRegion } from '../../../../app/imaging/pillow/resample.ts';
import type { Rectangle } from '../../../../app/imaging/rectangle.ts';
import { croppedRows, rowsOf } from '../../../../app/imaging/rows.ts';
import { collectImage, difference, noise } from '../../../support/images/images.ts';
import { plainResample } from '../../../support/images/plain-resample.ts';

const EQUAL = { max: 0, count: 0, mean: 0 };
const side = fc.integer({ min: 1, max: 60 });
const size = fc.record({ width: side, height: side });
const filter = fc.constantFrom('BILINEAR', 'BICUBIC', 'LANCZOS');
const kind = fc.record({ channels: fc.constantFrom(1, 2, 3, 4), depth: fc.constantFrom(8, 16) });
const picture = fc.tuple(size, kind, fc.nat()).map(([sides, how, seed]) => harshNoise({ ...sides, ...how }, seed));
const share = fc.double({ min: 0, max: 1, noNaN: true });
const shares = fc.tuple(share, share, share, share);

describe('The kernels of resampling', () => {
  it('make, of random pictures in random sizes by random filters, the samples of the plain loops', () => {
    fc.assert(
      fc.property(picture, size, filter, (image, { width, height }, by) => {
        const result = resampleImage(image, width, height, by);
        expect(difference(result, plainResample(image, width, height, by))).toEqual(EQUAL);
      }),
      { numRuns: 150 },
    );
  });

  it('make of a random part what the plain loops have there', () => {
    fc.assert(
      fc.property(picture, size, filter, shares, (image, whole, by, corners) => {
        const region = rectangleWithin(whole, corners);
        const got = collectImage({ ...image, ...region }, (sink) =>
          resampleRegion(rowsOf(image), sink, by, { whole, region }),
        );
        const all = rowsOf(plainResample(image, whole.width, whole.height, by));
        expect(got.data).toEqual(croppedRows(all, region).readRows(0, region.height));
      }),
      { numRuns: 80 },
    );
  });

  // Rows so long that a strip has one or two: windows begin in one strip and end in another.
  it.each([
    [{ width: 50_000, height: 9, channels: 3, depth: 8 }, 49_000, 4],
    [{ width: 1000, height: 5, channels: 3, depth: 8 }, 49_000, 8],
    [{ width: 99_000, height: 9, channels: 1, depth: 16 }, 98_000, 4],
    [{ width: 99_000, height: 3, channels: 1, depth: 16 }, 98_000, 5],
    [{ width: 66_000, height: 24, channels: 2, depth: 8 }, 65_995, 3],
  ] as const)('make of %j, %d pixels wide and %d high, the samples of the plain loops', (shape, width, height) => {
    const image = harshNoise(shape, 6);
    const result = resampleImage(image, width, height, 'LANCZOS');
    expect(difference(result, plainResample(image, width, height, 'LANCZOS'))).toEqual(EQUAL);
  });
});

/** With an even seed the extremes alone, which overshoot most. Alpha is full, and so without effect. */
function harshNoise(shape: ImageShape, seed: number): Image {
  const image = noise(shape, seed);
  const [full, { channels }] = [maxSample(shape.depth), shape];
  if (seed % 2 === 0) image.data.forEach((sample, i) => (image.data[i] = sample > full / 2 ? full : 0));
  if (hasAlpha(channels)) for (let i = channels - 1; i < image.data.length; i += channels) image.data[i] = full;
  return image;
}

/** Between two corners, given as shares of the way across and down; at least a pixel. */
function rectangleWithin(
  { width, height }: { readonly width: number; readonly height: number },
  [left, right, top, bottom]: readonly [number, number, number, number],
): Rectangle {
  const [x, endX] = [left, right].map((share) => Math.trunc(share * (width - 1))).sort((a, b) => a - b);
  const [y, endY] = [top, bottom].map((share) => Math.trunc(share * (height - 1))).sort((a, b) => a - b);
  return { x: Number(x), y: Number(y), width: Number(endX) - Number(x) + 1, height: Number(endY) - Number(y) + 1 };
}
