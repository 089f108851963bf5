import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import type { WarpBorder } from '../../../../app/imaging/opencv/affine-warp.ts';
import { planeSource, rowSampler, warpImage } from '../../../../app/imaging/opencv/affine-warp.ts';
import { erode } from '../../../../app/imaging/opencv/erosion.ts';
import { gaussianBlur } from '../../../../app/imaging/opencv/gaussian-blur.ts';
import type { Image } from '../../../../app/imaging/image.ts';
import { reduceByArea } from '../../../../app/imaging/opencv/reduce-by-area.ts';
import { resizeLinear } from '../../../../app/imaging/opencv/resize-linear.ts';
import type { Plane } from '../../../../app/imaging/opencv/plane.ts';
import type { AffineMatrix, Point } from '../../../../app/imaging/opencv/similarity-transform.ts';
import { estimateSimilarity, invertAffine, mapPoint } from '../../../../app/imaging/opencv/similarity-transform.ts';
import { curveResize } from '../../../support/images/curve-resize.ts';
import { difference, noise } from '../../../support/images/images.ts';

interface Stored {
  readonly shape: readonly [height: number, width: number, channels: number];
  readonly offset: number;
}
interface Given {
  readonly size: readonly [width: number, height: number];
  readonly seed: number;
}
interface Cases {
  readonly opencv: string;
  readonly similarities: readonly { landmarks: Point[]; matrix: AffineMatrix; inliers: number[] }[];
  readonly warps: readonly (Given & { matrix: AffineMatrix; border: string; image: Stored; plane: Stored })[];
  readonly erosions: readonly (Given & { kernel: number; plane: Stored })[];
  readonly blurs: readonly (Given & { kernel: number; sigma: number; plane: Stored })[];
  readonly resizes: readonly (Given & { method: string; image: Stored })[];
}

const FOLDER = new URL('../../../fixtures/opencv', import.meta.url).pathname;
const cases = JSON.parse(readFileSync(`${FOLDER}/cases.json`, 'utf8')) as Cases;
const samples = readFileSync(`${FOLDER}/samples.bin`);

const TEMPLATE: readonly Point[] = [
  [192.98138, 239.94708],
  [318.90277, 240.1936],
  [256.63416, 314.01935],
  [201.26117, 371.41043],
  [313.08905, 371.15118],
];

function storedImage({ shape: [height, width, channels], offset }: Stored): Image {
  const data = Uint8Array.from(samples.subarray(offset, offset + height * width * channels));
  return { width, height, channels: channels as Image['channels'], depth: 8, data };
}

function storedPlane({ shape: [height, width], offset }: Stored): Plane {
  const bytes = Uint8Array.from(samples.subarray(offset, offset + height * width * 4));
  return { width, height, data: new Float32Array(bytes.buffer) };
}

function givenImage({ size: [width, height], seed }: Given, channels: Image['channels']): Image {
  return noise({ width, height, channels, depth: 8 }, seed);
}

function givenPlane(given: Given): Plane {
  const { width, height, data } = givenImage(given, 1);
  return { width, height, data: Float32Array.from(data, (value) => value / 255) };
}

function largestDifference(actual: Plane, expected: Plane): number {
  expect([actual.width, actual.height]).toEqual([expected.width, expected.height]);
  return actual.data.reduce((most, value, i) => Math.max(most, Math.abs(value - (expected.data[i] ?? NaN))), 0);
}

describe(`Imaging against OpenCV ${cases.opencv}`, () => {
  it('finds the similarity that estimateAffinePartial2D finds by LMEDS, to a tenth of a pixel of the crop', () => {
    const distances = cases.similarities.map(({ landmarks, matrix }) => {
      const found = estimateSimilarity(landmarks, TEMPLATE);
      const back = invertAffine(matrix);
      const corners: readonly Point[] = [
        [0, 0],
        [511, 0],
        [0, 511],
        [511, 511],
      ];
      return Math.max(
        ...corners.map((corner) => {
          const [x, y] = found ? mapPoint(found, mapPoint(back, corner)) : [NaN, NaN];
          return Math.hypot(x - corner[0], y - corner[1]);
        }),
      );
    });
    expect(Math.max(...distances)).toBeLessThan(0.1);
    expect(cases.similarities.filter(({ inliers }) => inliers.includes(0)).length).toBeGreaterThan(20);
  });

  it.each(cases.warps)('warps by $matrix with border $border within one level', (given) => {
    const { matrix, border } = given;
    const constant = border === 'constant';
    const back = invertAffine(matrix);
    const expected = storedImage(given.image);
    const outside: WarpBorder = constant ? [135, 133, 132] : (border as 'reflect');
    expect(difference(warpImage(givenImage(given, 3), matrix, expected, outside), expected).max).toBeLessThanOrEqual(1);

    const plane = storedPlane(given.plane);
    const planeSampler = rowSampler(planeSource(givenPlane(given)), back, constant ? [0.5] : outside);
    const warped = new Float32Array(plane.data.length);
    for (let y = 0; y < plane.height; y++) {
      planeSampler({ x: 0, y, count: plane.width }, warped.subarray(y * plane.width, (y + 1) * plane.width));
    }
    expect(largestDifference({ ...plane, data: warped }, plane)).toBeLessThan(1e-5);
  });

  it.each(cases.erosions)('erodes by $kernel pixels to equal values', (given) => {
    expect(largestDifference(erode(givenPlane(given), given.kernel), storedPlane(given.plane))).toBe(0);
  });

  it.each(cases.blurs)('blurs by $kernel pixels, sigma $sigma', (given) => {
    const blurred = gaussianBlur(givenPlane(given), given.kernel, given.sigma === 0 ? undefined : given.sigma);
    expect(largestDifference(blurred, storedPlane(given.plane))).toBeLessThan(1e-6);
  });

  it.each(cases.resizes)('resizes by $method to $image.shape within one level', (given) => {
    const expected = storedImage(given.image);
    const image = givenImage(given, 3);
    const { width, height } = expected;
    const resize = METHODS[given.method];
    expect(resize).toBeDefined();
    expect(difference(resize?.(image, width, height) ?? image, expected).max).toBeLessThanOrEqual(1);
  });
});

const METHODS: Readonly<Record<string, (image: Image, width: number, height: number) => Image>> = {
  linear: resizeLinear,
  cubic: (image, width, height) => curveResize(image, width, height, 'cubic'),
  lanczos4: (image, width, height) => curveResize(image, width, height, 'lanczos4'),
  area: reduceByArea,
};
