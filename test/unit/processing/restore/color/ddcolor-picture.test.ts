import { describe, expect, it } from '@jest/globals';
import type { Image } from '../../../../../app/imaging/image.ts';
import { rgbToLightness } from '../../../../../app/imaging/opencv/lab.ts';
import { coloredShape, rgbRows } from '../../../../../app/imaging/rgb-rows.ts';
import { rowsOf } from '../../../../../app/imaging/rows.ts';
import type { AbMap } from '../../../../../app/processing/restore/color/ddcolor-picture.ts';
import { ddcolorInput, paintAb } from '../../../../../app/processing/restore/color/ddcolor-picture.ts';
import { collectImage, gradient, noise } from '../../../../support/images/images.ts';

const paint = (picture: Image, ab: AbMap): Image =>
  collectImage(coloredShape(picture), (sink) => paintAb(rowsOf(picture), ab, sink, () => undefined));

const abOf = (side: number, a: (place: number) => number, b: (place: number) => number): AbMap => {
  const places = Array.from({ length: side * side }, (_, place) => place);
  return { side, data: Float32Array.from([...places.map(a), ...places.map(b)]) };
};
const NO_COLOR = abOf(
  4,
  () => 0,
  () => 0,
);

/** L in levels of 8 bits. */
function lightness(picture: Image): Float32Array {
  const samples = rgbRows(rowsOf(picture)).readRows(0, picture.height);
  const levels = new Float32Array(picture.width * picture.height);
  rgbToLightness(
    Float32Array.from(samples, (sample) => sample / 255),
    levels,
  );
  return levels.map((value) => value * 2.55);
}

describe('A picture in the colours of DDColor', () => {
  it('stays the gray that it was where there is no colour', () => {
    const data = Uint8Array.from({ length: 256 }, (_, level) => level);
    const ramp: Image = { width: 16, height: 16, channels: 1, depth: 8, data };
    expect([...paint(ramp, NO_COLOR).data]).toEqual([...data].flatMap((level) => [level, level, level]));
  });

  it('is gray where there is no colour, whatever it was', () => {
    const { data } = paint(noise({ width: 40, height: 30, channels: 3, depth: 8 }), NO_COLOR);
    for (let i = 0; i < data.length; i += 3) expect([data[i + 1], data[i + 2]]).toEqual([data[i], data[i]]);
  });

  it('keeps the lightness within a level wherever no channel is clipped', () => {
    const picture = noise({ width: 64, height: 64, channels: 3, depth: 8 });
    const painted = paint(
      picture,
      abOf(
        8,
        (place) => place - 32,
        (place) => 20 - place,
      ),
    );
    const [before, after] = [lightness(picture), lightness(painted)];
    const free = [...before.keys()].filter((pixel) =>
      painted.data.subarray(3 * pixel, 3 * pixel + 3).every((sample) => sample > 0 && sample < 255),
    );
    expect(free.length).toBeGreaterThan(1000);
    for (const pixel of free) expect(Math.abs((after[pixel] ?? NaN) - (before[pixel] ?? NaN))).toBeLessThanOrEqual(1);
  });

  it('takes the colour of the nearest place of the map', () => {
    const gray: Image = { width: 4, height: 2, channels: 1, depth: 8, data: new Uint8Array(8).fill(128) };
    const { data } = paint(
      gray,
      abOf(
        2,
        (place) => (place === 1 ? 60 : 0),
        () => 0,
      ),
    );
    const redder = [...Array(8).keys()].map((pixel) => (data[3 * pixel] ?? 0) > (data[3 * pixel + 1] ?? 0));
    expect(redder).toEqual([false, false, true, true, false, false, false, false]);
  });

  it('keeps alpha and 16 bits', () => {
    const picture = gradient({ width: 9, height: 5, channels: 4, depth: 16 });
    const painted = paint(picture, NO_COLOR);
    expect(painted).toMatchObject({ channels: 4, depth: 16 });
    for (let i = 3; i < painted.data.length; i += 4) expect(painted.data[i]).toBe(picture.data[i]);
    expect(new Set(painted.data).size).toBeGreaterThan(40);
  });

  it('tells how many rows are done, up to the last', () => {
    const told: number[] = [];
    const picture = noise({ width: 4000, height: 90, channels: 1, depth: 8 });
    collectImage(coloredShape(picture), (sink) => paintAb(rowsOf(picture), NO_COLOR, sink, (rows) => told.push(rows)));
    expect(told.length).toBeGreaterThan(2);
    expect(told).toEqual([...told].sort((a, b) => a - b));
    expect(told.at(-1)).toBe(90);
  });
});

describe('What DDColor sees', () => {
  it('is gray in three planes of the square, whatever the picture', () => {
    const seen = ddcolorInput(rowsOf(gradient({ width: 31, height: 17, channels: 4, depth: 16 })), 64);
    expect(seen).toHaveLength(3 * 64 * 64);
    expect(seen.subarray(64 * 64, 2 * 64 * 64)).toEqual(seen.subarray(0, 64 * 64));
    expect(seen.subarray(2 * 64 * 64)).toEqual(seen.subarray(0, 64 * 64));
    expect(seen.every((value) => value >= 0 && value <= 1)).toBe(true);
  });
});
