import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { openCheckpoint } from '../../../../app/checkpoints/open-checkpoint.ts';
import { readTensor } from '../../../../app/checkpoints/read-tensor.ts';
import { labToRgb, rgbToLab, rgbToLightness } from '../../../../app/imaging/opencv/lab.ts';
import { caseFile } from '../../../support/cases.ts';
import { largestDifference } from '../../../support/networks/largest-difference.ts';

const labOf = (...rgb: number[]): Float32Array => {
  const lab = new Float32Array(rgb.length);
  rgbToLab(Float32Array.from(rgb), lab);
  return lab;
};

const rgbOf = (...lab: number[]): Float32Array => {
  const rgb = new Float32Array(lab.length);
  labToRgb(Float32Array.from(lab), rgb);
  return rgb;
};

describe('Lab', () => {
  const golden = openCheckpoint(caseFile('lab_float'));

  it('equals OpenCV from RGB to Lab', () => {
    const lab = labOf(...readTensor(golden, 'rgb'));
    expect(largestDifference(lab, readTensor(golden, 'lab_of_rgb'))).toBeLessThan(1e-5);
  });

  it('equals OpenCV from Lab to RGB, out of gamut included', () => {
    const rgb = rgbOf(...readTensor(golden, 'lab'));
    expect(largestDifference(rgb, readTensor(golden, 'rgb_of_lab'))).toBeLessThan(5e-4);
  });

  it('gives the lightness alone as it gives it with a and b', () => {
    const rgb = readTensor(golden, 'rgb');
    const lightness = new Float32Array(rgb.length / 3);
    rgbToLightness(rgb, lightness);
    expect(lightness).toEqual(labOf(...rgb).filter((_, i) => i % 3 === 0));
  });

  it('gives white 100, black 0, and clips what is beyond them', () => {
    expect([...labOf(1, 1, 1)].map(Math.round)).toEqual([100, 0, 0]);
    expect([...labOf(0, 0, 0)].map((v) => Math.abs(v))).toEqual([0, 0, 0]);
    expect(labOf(1.5, 2, 1)).toEqual(labOf(1, 1, 1));
    expect(labOf(-1, 0, -0.1)).toEqual(labOf(0, 0, 0));
  });

  it('leaves every gray of 8 bits as it is', () => {
    for (let gray = 0; gray < 256; gray++) {
      const [l = NaN] = labOf(gray / 255, gray / 255, gray / 255);
      const [r = NaN, g, b] = rgbOf(l, 0, 0);
      expect([g, b]).toEqual([r, r]);
      expect(Math.round(r * 255)).toBe(gray);
    }
  });

  it('comes back within a level and a half of where it began', () => {
    const sample = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(fc.tuple(sample, sample, sample), (levels) => {
        const back = rgbOf(...labOf(...levels.map((level) => level / 255)));
        return levels.every((level, i) => Math.abs((back[i] ?? NaN) * 255 - level) < 1.5);
      }),
    );
  });
});
