import { describe, expect, it } from '@jest/globals';
import type { Channels, Image } from '../../../../app/imaging/image.ts';
import { resampleImage } from '../../../../app/imaging/pillow/resample.ts';
import { rowsOf } from '../../../../app/imaging/rows.ts';
import { reducedPsnr } from '../../../../app/processing/upscale/reduced-psnr.ts';

describe('the PSNR of a result that is reduced back', () => {
  const picture = (width: number, height: number, channels: Channels, value: (at: number) => number): Image => {
    const data = Uint8Array.from({ length: width * height * channels }, (_, at) => value(at));
    return { width, height, channels, depth: 8, data };
  };
  const flat = picture(20, 10, 3, () => 100);

  it('is that of the difference, by hand: five of 255 everywhere are 34.15 dB', () => {
    const result = rowsOf(picture(40, 20, 3, () => 105));
    expect(reducedPsnr(flat, result)).toBeCloseTo(20 * Math.log10(255 / 5), 10);
  });

  it('is infinite where the source comes back, and looks at colours behind alpha, not at alpha', () => {
    expect(reducedPsnr(flat, rowsOf(picture(80, 40, 3, () => 100)))).toBe(Infinity);
    const clear = picture(20, 10, 4, (at) => (at % 4 === 3 ? 255 : 9));
    const veiled = picture(40, 20, 4, (at) => (at % 4 === 3 ? 200 : 9));
    expect(reducedPsnr(clear, rowsOf(veiled))).toBeGreaterThan(48); // of premultiplied colours one step is lost
  });

  it('tells a faithful enlargement from another picture', () => {
    const scene = picture(32, 24, 3, (at) => {
      const [x, y] = [Math.floor(at / 3) % 32, Math.floor(at / 96)];
      return Math.round(127 + 60 * Math.sin(x / 4) + 60 * Math.cos(y / 5));
    });
    const faithful = reducedPsnr(scene, rowsOf(resampleImage(scene, 128, 96, 'LANCZOS'))) ?? 0;
    const other = reducedPsnr(scene, rowsOf(picture(128, 96, 3, (at) => (at * 11) % 256))) ?? 0;
    expect(faithful).toBeGreaterThan(other + 10);
  });

  it('says nothing of what was reduced, cut, or coloured', () => {
    for (const result of [picture(10, 5, 3, () => 1), picture(40, 30, 3, () => 1), picture(40, 20, 4, () => 1)]) {
      expect(reducedPsnr(flat, rowsOf(result))).toBeUndefined();
    }
  });
});
