import { describe, expect, it } from '@jest/globals';
import type { Image } from '../../../../../app/imaging/image.ts';
import { coloredShape, rgbRows } from '../../../../../app/imaging/rgb-rows.ts';
import { rowsOf } from '../../../../../app/imaging/rows.ts';
import {
  deoldifyColors,
  deoldifyInput,
  paintChroma,
  renderSide,
} from '../../../../../app/processing/restore/color/deoldify-picture.ts';
import { collectImage, gradient, noise } from '../../../../support/images/images.ts';

const paint = (picture: Image, colors: Image): Image =>
  collectImage(coloredShape(picture), (sink) => paintChroma(rowsOf(picture), colors, sink, () => undefined));

const GRAY: Image = { width: 2, height: 2, channels: 3, depth: 8, data: new Uint8Array(12).fill(140) };

describe('A picture in the colours of DeOldify', () => {
  it('stays the gray that it was where the colours are gray', () => {
    const data = Uint8Array.from({ length: 256 }, (_, level) => level);
    const ramp: Image = { width: 16, height: 16, channels: 1, depth: 8, data };
    expect([...paint(ramp, GRAY).data]).toEqual([...data].flatMap((level) => [level, level, level]));
  });

  it('keeps the luma within a level wherever no channel is clipped', () => {
    const picture = noise({ width: 50, height: 40, channels: 3, depth: 8 });
    const painted = paint(picture, noise({ width: 32, height: 32, channels: 3, depth: 8 }, 7));
    const luma = ({ data }: Image, i: number): number =>
      0.299 * (data[i] ?? NaN) + 0.587 * (data[i + 1] ?? NaN) + 0.114 * (data[i + 2] ?? NaN);
    let free = 0;
    for (let i = 0; i < painted.data.length; i += 3) {
      if (painted.data.subarray(i, i + 3).some((sample) => sample === 0 || sample === 255)) continue;
      free++;
      expect(Math.abs(luma(painted, i) - luma(picture, i))).toBeLessThanOrEqual(1);
    }
    expect(free).toBeGreaterThan(1000);
  });

  it('keeps alpha and 16 bits', () => {
    const picture = gradient({ width: 9, height: 5, channels: 4, depth: 16 });
    const painted = paint(picture, GRAY);
    expect(painted).toMatchObject({ channels: 4, depth: 16 });
    for (let i = 0; i < painted.data.length; i += 4) {
      const [r = NaN, g = NaN, b = NaN, alpha = NaN] = picture.data.subarray(i, i + 4);
      const luma = 0.299 * r + 0.587 * g + 0.114 * b;
      expect(Math.abs((painted.data[i] ?? NaN) - luma)).toBeLessThan(2);
      expect(painted.data[i + 3]).toBe(alpha);
    }
  });

  it('tells how many rows are done, up to the last', () => {
    const told: number[] = [];
    const picture = noise({ width: 30, height: 70, channels: 2, depth: 8 });
    collectImage(coloredShape(picture), (sink) => paintChroma(rowsOf(picture), GRAY, sink, (rows) => told.push(rows)));
    expect(told.at(-1)).toBe(70);
  });
});

describe('What DeOldify sees and answers', () => {
  it('sees gray under the statistics of ImageNet', () => {
    const side = renderSide(2);
    const seen = deoldifyInput(rowsOf({ ...GRAY, data: GRAY.data.map(() => 51) }), side);
    expect(side).toBe(32);
    expect(seen[0]).toBeCloseTo((0.2 - 0.485) / 0.229, 6);
    expect(seen[side * side]).toBeCloseTo((0.2 - 0.456) / 0.224, 6);
    expect(seen[2 * side * side]).toBeCloseTo((0.2 - 0.406) / 0.225, 6);
  });

  it('comes back to the picture that it saw, less the fractions', () => {
    const picture = noise({ width: 16, height: 16, channels: 1, depth: 8 });
    const colors = deoldifyColors(deoldifyInput(rowsOf(picture), 16), 16);
    const seen = rgbRows(rowsOf(picture)).readRows(0, 16);
    colors.data.forEach((sample, i) => expect([0, 1]).toContain((seen[i] ?? NaN) - sample));
  });

  it('clips what is out of range', () => {
    expect([...deoldifyColors(Float32Array.of(3, -3, 0), 1).data]).toEqual([255, 0, 103]);
  });
});
