import { describe, expect, it } from '@jest/globals';
import type { Image } from '../../../../app/imaging/image.ts';
import { rowsOf } from '../../../../app/imaging/rows.ts';
import { sampleLinear } from '../../../../app/imaging/opencv/sample-linear.ts';
import { noise } from '../../../support/images/images.ts';

const gray = (width: number, ...data: number[]): Image => {
  return { width, height: data.length / width, channels: 1, depth: 8, data: Uint8Array.from(data) };
};
const sampled = (image: Image, width: number, height: number): number[] =>
  [...sampleLinear(rowsOf(image), width, height)].map((value) => Math.round(value * 255 * 1000) / 1000);

describe('Linear sampling', () => {
  it('leaves a picture of the right size as it is', () => {
    const image = noise({ width: 7, height: 5, channels: 3, depth: 8 });
    expect([...sampleLinear(rowsOf(image), 7, 5)].map((value) => Math.round(value * 255))).toEqual([...image.data]);
  });

  it('lies between the nearest two where it enlarges, and goes on beyond the edge', () => {
    expect(sampled(gray(2, 0, 100), 4, 1)).toEqual([0, 25, 75, 100]);
    expect(sampled(gray(1, 0, 100), 1, 4)).toEqual([0, 25, 75, 100]);
  });

  it('skips pixels where it shrinks, as OpenCV does', () => {
    expect(sampled(gray(6, 0, 10, 20, 30, 40, 50), 2, 1)).toEqual([10, 40]);
    expect(sampled(gray(8, 0, 0, 80, 0, 0, 0, 0, 0), 2, 1)).toEqual([40, 0]);
  });

  it('takes all of 16 bits', () => {
    const deep: Image = { width: 2, height: 1, channels: 1, depth: 16, data: Uint16Array.of(0, 65_535) };
    expect([...sampleLinear(rowsOf(deep), 3, 1)]).toEqual([0, 0.5, 1]);
  });

  it('makes a square of one pixel', () => {
    expect(sampled(gray(1, 51), 3, 2)).toEqual([51, 51, 51, 51, 51, 51]);
  });
});
