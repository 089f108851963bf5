import { describe, expect, it } from '@jest/globals';
import type { Filter } from '../../../../app/imaging/pillow/resample.ts';
import { resampleImage, resampleRegion, sourceRegion } from '../../../../app/imaging/pillow/resample.ts';
import { croppedRows, rowsOf } from '../../../../app/imaging/rows.ts';
import { collectImage, noise } from '../../../support/images/images.ts';

const FILTERS: readonly Filter[] = ['NEAREST', 'BILINEAR', 'BICUBIC', 'LANCZOS'];
/** Enlarged, reduced by much in one side or both, and left as it is in one side or both. */
const SIZES = [
  { width: 131, height: 97 },
  { width: 17, height: 61 },
  { width: 57, height: 9 },
  { width: 57, height: 120 },
  { width: 57, height: 43 },
];

describe('A region of a resized image', () => {
  it.each(FILTERS)('by %s is what the whole has there, and comes from what it says it comes from', (filter) => {
    for (const kind of [
      { channels: 3, depth: 8 },
      { channels: 4, depth: 8 },
      { channels: 1, depth: 16 },
    ] as const) {
      const image = noise({ width: 57, height: 43, ...kind });
      for (const whole of SIZES) {
        const region = {
          x: Math.floor(whole.width / 3),
          y: Math.floor(whole.height / 4),
          width: Math.ceil(whole.width / 4),
          height: Math.ceil(whole.height / 2),
        };
        const shape = { ...kind, width: region.width, height: region.height };
        const seen = sourceRegion(image, { whole, region }, filter);
        // What lies outside of it is noise of another kind: it must not show.
        const disturbed = { ...image, data: image.data.map((sample: number) => sample ^ 255) };
        const [inside, outside] = [rowsOf(image), rowsOf(disturbed)];
        const source = {
          ...inside,
          readRows: (y: number, count: number) => {
            const rows = outside.readRows(y, count).slice();
            const good = inside.readRows(y, count);
            const { channels } = kind;
            for (let row = 0; row < count; row++) {
              if (y + row < seen.y || y + row >= seen.y + seen.height) continue;
              const from = (row * image.width + seen.x) * channels;
              rows.set(good.subarray(from, from + seen.width * channels), from);
            }
            return rows;
          },
        };
        const got = collectImage(shape, (sink) => resampleRegion(source, sink, filter, { whole, region }));
        const all = resampleImage(image, whole.width, whole.height, filter);
        const expected = collectImage(shape, (sink) =>
          sink.writeRows(croppedRows(rowsOf(all), region).readRows(0, region.height)),
        );
        expect({ whole, data: got.data }).toEqual({ whole, data: expected.data });
      }
    }
  });
});
