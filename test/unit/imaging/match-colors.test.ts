import { describe, expect, it } from '@jest/globals';
import type { Channels, Image } from '../../../app/imaging/image.ts';
import { matchLowBands, matchMeans } from '../../../app/imaging/match-colors.ts';
import { rowsOf } from '../../../app/imaging/rows.ts';
import { collectImage, noise } from '../../support/images/images.ts';

const flat = (width: number, height: number, pixel: readonly number[], depth: 8 | 16 = 8): Image => {
  const samples = Array.from({ length: width * height }, () => pixel).flat();
  const data = depth === 16 ? Uint16Array.from(samples) : Uint8Array.from(samples);
  return { width, height, channels: pixel.length as Channels, depth, data };
};
const matched = (match: typeof matchMeans, made: Image, reference: Image): Image =>
  collectImage(made, (sink) => match(rowsOf(made), rowsOf(reference), sink));

/** Bound here: a lookup for every sample is slow where tests run. */
const { min, max } = Math;

/** The taps of all levels at once: what an impulse becomes. */
function kernel(): number[] {
  return [1, 2, 4, 8, 16].reduce(
    (taps, distance) => {
      const next = new Array<number>(taps.length + 2 * distance).fill(0);
      taps.forEach((tap, at) => {
        [tap / 4, tap / 2, tap / 4].forEach((part, step) => {
          next[at + step * distance] = (next[at + step * distance] ?? 0) + part;
        });
      });
      return next;
    },
    [1],
  );
}

/** The definition: every pixel by itself, over the whole of what it sees. */
function lowBandsByDefinition(made: Image, reference: Image): number[] {
  const { width, height, channels } = made;
  const taps = kernel();
  const clamped = (at: number, size: number) => min(max(at, 0), size - 1);
  return [...made.data].map((sample, index) => {
    const [channel, pixel] = [index % channels, Math.floor(index / channels)];
    const [x, y] = [pixel % width, Math.floor(pixel / width)];
    let sum = 0;
    taps.forEach((down, j) => {
      const row = clamped(y + j - 31, height) * width;
      taps.forEach((across, i) => {
        const at = (row + clamped(x + i - 31, width)) * channels + channel;
        sum += down * across * ((reference.data[at] ?? 0) - (made.data[at] ?? 0));
      });
    });
    return Math.min(Math.max(sample + sum, 0), 255);
  });
}

describe('Colours that are matched', () => {
  it.each([
    ['means', matchMeans],
    ['low bands', matchLowBands],
  ] as const)('make a flat picture the reference by their %s, in 8 and 16 bits, gray and colour', (_name, match) => {
    expect(matched(match, flat(9, 7, [131, 97, 204]), flat(9, 7, [128, 100, 200])).data).toEqual(
      flat(9, 7, [128, 100, 200]).data,
    );
    expect(matched(match, flat(9, 7, [131]), flat(9, 7, [128])).data).toEqual(flat(9, 7, [128]).data);
    const deep = flat(9, 7, [40_000, 3, 65_535], 16);
    expect(matched(match, flat(9, 7, [41_003, 900, 64_000], 16), deep).data).toEqual(deep.data);
  });

  it('have the mean of a reference of any size, and keep every difference between pixels', () => {
    const made = { ...noise({ width: 20, height: 30, channels: 3, depth: 8 }) };
    made.data.forEach((sample, at) => (made.data[at] = 60 + (sample >> 1)));
    const { data } = matched(matchMeans, made, flat(5, 4, [130, 120, 110]));
    const shifts = [...data].map((sample, at) => sample - (made.data[at] ?? 0));
    for (const color of [0, 1, 2]) expect(new Set(shifts.filter((_, at) => at % 3 === color)).size).toBe(1);
    const mean = [...data].filter((_, at) => at % 3 === 0).reduce((sum, one) => sum + one, 0) / 600;
    expect(Math.abs(mean - 130)).toBeLessThanOrEqual(0.5);
  });

  it('by low bands are what the definition of the transform gives, to half a level', () => {
    const made = noise({ width: 40, height: 6, channels: 1, depth: 8 });
    const reference = noise({ width: 40, height: 6, channels: 1, depth: 8 }, 7);
    const expected = lowBandsByDefinition(made, reference);
    const worst = [...matched(matchLowBands, made, reference).data].map((one, at) =>
      Math.abs(one - (expected[at] ?? 0)),
    );
    expect(Math.max(...worst)).toBeLessThanOrEqual(0.501);
  });

  it.each([3, 4] as const)('by low bands are the same whatever is worked on at once, of %d channels', (channels) => {
    const shape = { width: 21, height: 40, channels, depth: 8 } as const;
    const [made, reference] = [noise(shape), noise(shape, 3)];
    const inBands = (band: number): Image =>
      collectImage(made, (sink) => matchLowBands(rowsOf(made), rowsOf(reference), sink, band));
    expect(inBands(7).data).toEqual(inBands(40).data);
  });

  it.each([matchMeans, matchLowBands])('do not go by what cannot be seen, and leave alpha as it is', (match) => {
    const made = flat(40, 10, [60, 70, 80, 255]);
    const reference = flat(40, 10, [50, 75, 80, 255]);
    for (let at = 0; at < made.data.length; at += 8) made.data.set([255, 0, 255, 0], at);
    const { data } = matched(match, made, reference);
    for (let at = 0; at < data.length; at += 8) {
      expect([...data.subarray(at + 4, at + 8)]).toEqual([50, 75, 80, 255]);
      expect(data[at + 3]).toBe(0);
    }
  });
});
