import { describe, expect, it } from '@jest/globals';
import { openCheckpoint } from '../../../../app/checkpoints/open-checkpoint.ts';
import { readTensor } from '../../../../app/checkpoints/read-tensor.ts';
import { labToRgb, rgbToLightness } from '../../../../app/imaging/opencv/lab.ts';
import { caseFile } from '../../../support/cases.ts';
import { largestDifference } from '../../../support/networks/largest-difference.ts';

const lightnessOf = (...rgb: number[]): Float32Array => {
  const lightness = new Float32Array(rgb.length / 3);
  rgbToLightness(Float32Array.from(rgb), lightness);
  return lightness;
};

const rgbOf = (...lab: number[]): Float32Array => {
  const rgb = new Float32Array(lab.length);
  labToRgb(Float32Array.from(lab), rgb);
  return rgb;
};

describe('Lab', () => {
  const golden = openCheckpoint(caseFile('lab_float'));

  it('equals OpenCV from RGB to lightness', () => {
    const lightness = lightnessOf(...readTensor(golden, 'rgb'));
    const expected = readTensor(golden, 'lab_of_rgb').filter((_, i) => i % 3 === 0);
    expect(largestDifference(lightness, expected)).toBeLessThan(1e-5);
  });

  it('equals OpenCV from Lab to RGB, out of gamut included', () => {
    const rgb = rgbOf(...readTensor(golden, 'lab'));
    expect(largestDifference(rgb, readTensor(golden, 'rgb_of_lab'))).toBeLessThan(5e-4);
  });

  it('gives white 100, black 0, and clips what is beyond them', () => {
    expect([...lightnessOf(1, 1, 1, 0, 0, 0)]).toEqual([100, 0]);
    expect(lightnessOf(1.5, 2, 1)).toEqual(lightnessOf(1, 1, 1));
    expect(lightnessOf(-1, 0, -0.1)).toEqual(lightnessOf(0, 0, 0));
  });

  it('leaves every gray of 8 bits as it is', () => {
    for (let gray = 0; gray < 256; gray++) {
      const [l = NaN] = lightnessOf(gray / 255, gray / 255, gray / 255);
      const [r = NaN, g, b] = rgbOf(l, 0, 0);
      expect([g, b]).toEqual([r, r]);
      expect(Math.round(r * 255)).toBe(gray);
    }
  });
});
