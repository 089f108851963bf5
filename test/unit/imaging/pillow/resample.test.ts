import { describe, expect, it } from '@jest/globals';
import type { Image, ImageShape, Samples } from '../../../../app/imaging/image.ts';
import { hasAlpha, maxSample } from '../../../../app/imaging/image.ts';
import type { Filter } from '../../../../app/imaging/pillow/resample.ts';
import { resample, resampleImage } from '../../../../app/imaging/pillow/resample.ts';
import type { RowSource } from '../../../../app/imaging/rows.ts';
import { rowsOf } from '../../../../app/imaging/rows.ts';
import { collectImage, difference, noise } from '../../../support/images/images.ts';

const FILTERS: readonly Filter[] = ['NEAREST', 'BILINEAR', 'BICUBIC', 'LANCZOS'];

/** A source that reuses one buffer, as sources may, and remembers how much it was asked for at once. */
class ReusingSource implements RowSource {
  readonly width: number;
  readonly height: number;
  readonly channels: Image['channels'];
  readonly depth: Image['depth'];
  mostRows = 0;
  readonly #rows: RowSource;
  readonly #buffer: Samples;

  constructor(image: Image) {
    ({ width: this.width, height: this.height, channels: this.channels, depth: this.depth } = image);
    this.#rows = rowsOf(image);
    this.#buffer = image.data.slice();
  }

  readRows(y: number, count: number): Samples {
    this.mostRows = Math.max(this.mostRows, count);
    const rows = this.#rows.readRows(y, count);
    this.#buffer.fill(77);
    this.#buffer.set(rows);
    return this.#buffer.subarray(0, rows.length);
  }
}

/** A sink that spoils what it was given, as a sink may not keep it. */
function resampleSpoiling(
  source: RowSource,
  shape: ImageShape,
  filter: Filter,
  onProgress?: (fraction: number) => void,
): Image {
  return collectImage(shape, (sink) => {
    const spoiling = {
      ...shape,
      writeRows: (rows: Samples) => {
        sink.writeRows(rows);
        rows.fill(99);
      },
    };
    resample(source, spoiling, filter, onProgress ? { onProgress } : {});
  });
}

describe('Resampling', () => {
  it.each(FILTERS)('%s by strips, from and to buffers that are reused, equals resampling in memory', (filter) => {
    const image = noise({ width: 600, height: 800, channels: 4, depth: 8 });
    for (const [width, height] of [
      [900, 700],
      [300, 200],
      [1000, 90],
      [100, 900],
    ] as const) {
      const source = new ReusingSource(image);
      const result = resampleSpoiling(source, { ...image, width, height }, filter);
      expect(difference(result, resampleImage(image, width, height, filter)).max).toBe(0);
      expect(source.mostRows).toBeLessThan(300);
    }
  });

  it.each(FILTERS)('%s to the same size copies, the colour under full transparency too', (filter) => {
    const image = noise({ width: 30, height: 20, channels: 4, depth: 8 });
    expect(resampleImage(image, 30, 20, filter).data).toEqual(image.data);
  });

  it.each(FILTERS)('%s reports progress that rises to exactly 1', (filter) => {
    const image = noise({ width: 300, height: 200, channels: 3, depth: 8 });
    const seen: number[] = [];
    resampleSpoiling(rowsOf(image), { ...image, width: 900, height: 900 }, filter, (fraction) => seen.push(fraction));
    expect(seen.at(-1)).toBe(1);
    expect(seen.length).toBeGreaterThan(3);
    expect([...seen].sort((a, b) => a - b)).toEqual(seen);
  });

  it.each([1, 2, 3, 4] as const)('of 16 bits with %d channels is that of 8 bits, only finer', (channels) => {
    const image = noise({ width: 40, height: 30, channels, depth: 8 }, 5);
    if (hasAlpha(channels))
      image.data.forEach((_, i) => i % channels === channels - 1 && (image.data[i] = 128 + (i % 100)));
    const deep: Image = { ...image, depth: 16, data: Uint16Array.from(image.data, (sample) => sample * 257) };
    for (const [width, height, filter] of [
      [97, 71, 'LANCZOS'],
      [17, 13, 'BICUBIC'],
      [50, 11, 'BILINEAR'],
    ] as const) {
      const expected = resampleImage(image, width, height, filter);
      const actual = resampleImage(deep, width, height, filter);
      const levels = Uint8Array.from(actual.data, (sample) => Math.round(sample / 257));
      // Pillow rounds 8-bit colour three times on its way through alpha, and cuts once.
      expect(difference({ ...expected, data: levels }, expected).max).toBeLessThanOrEqual(hasAlpha(channels) ? 4 : 1);
    }
  });

  it.each([8, 16] as const)(
    'of %d bits keeps a flat colour flat under any alpha, so that edges have no halo',
    (depth) => {
      const max = maxSample(depth);
      const image = noise({ width: 30, height: 20, channels: 4, depth });
      image.data.forEach((_, i) => {
        if (i % 4 < 3) image.data[i] = max;
        else if (i % 3 === 0) image.data[i] = 0;
      });
      const result = resampleImage(image, 71, 43, 'LANCZOS');
      for (let i = 0; i < result.data.length; i += 4) {
        if ((result.data[i + 3] ?? 0) > max / 8) expect(result.data[i]).toBeGreaterThan(max * 0.97);
      }
    },
  );

  it('refuses a sink of another kind, and sides that are none', () => {
    const image = noise({ width: 3, height: 3, channels: 3, depth: 8 });
    const sink = { width: 5, height: 5, channels: 4, depth: 8, writeRows: () => undefined } as const;
    expect(() => resample(rowsOf(image), sink, 'LANCZOS')).toThrow(
      'Cannot resample 3x3 with 3 channels of 8 bits to 5x5 with 4 channels of 8 bits',
    );
    for (const side of [0, -1, 1.5, NaN]) expect(() => resampleImage(image, side, 5, 'BICUBIC')).toThrow(RangeError);
  });
});
