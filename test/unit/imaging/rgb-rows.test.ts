import { describe, expect, it } from '@jest/globals';
import type { Channels, Image } from '../../../app/imaging/image.ts';
import { coloredShape, rgbRows, withAlphaOf, withoutAlpha } from '../../../app/imaging/rgb-rows.ts';
import { rowsOf } from '../../../app/imaging/rows.ts';
import { collectImage, noise } from '../../support/images/images.ts';

const image = (channels: Channels, ...data: number[]): Image => {
  return { width: data.length / channels, height: 1, channels, depth: 8, data: Uint8Array.from(data) };
};

describe('Rows as RGB', () => {
  it('repeats gray and leaves alpha out', () => {
    expect([...rgbRows(rowsOf(image(1, 5, 6))).readRows(0, 1)]).toEqual([5, 5, 5, 6, 6, 6]);
    expect([...rgbRows(rowsOf(image(2, 5, 255, 6, 0))).readRows(0, 1)]).toEqual([5, 5, 5, 6, 6, 6]);
    expect([...rgbRows(rowsOf(image(4, 1, 2, 3, 255, 4, 5, 6, 0))).readRows(0, 1)]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('rounds 16 bits to 8 where 8 are asked for', () => {
    const data = Uint16Array.of(0, 128, 129, 257, 65_535, 65_406);
    const deep: Image = { width: 2, height: 1, channels: 3, depth: 16, data };
    expect([...rgbRows(rowsOf(deep), 8).readRows(0, 1)]).toEqual([0, 0, 1, 1, 255, 254]);
    expect(rgbRows(rowsOf(deep)).readRows(0, 1)).toEqual(data);
  });

  it('hands on rows that are RGB already', () => {
    const source = rowsOf(noise({ width: 3, height: 2, channels: 3, depth: 8 }));
    expect(rgbRows(source)).toBe(source);
  });
});

describe('Alpha on its way', () => {
  it.each([2, 4] as const)('goes from a picture of %i channels to the coloured one, row for row', (channels) => {
    const source = noise({ width: 5, height: 7, channels, depth: 16 });
    const colored = collectImage(coloredShape(source), (sink) => {
      const target = withAlphaOf(rowsOf(source), sink);
      for (const count of [1, 4, 2]) target.writeRows(new Uint16Array(5 * 3 * count).fill(9));
    });
    expect(colored.channels).toBe(4);
    for (let pixel = 0; pixel < 35; pixel++) {
      const alpha = source.data[(pixel + 1) * channels - 1] ?? NaN;
      expect([...colored.data.subarray(4 * pixel, 4 * pixel + 4)]).toEqual([9, 9, 9, alpha]);
    }
  });

  it.each([2, 4] as const)('goes by a network that gives back the colours of %i channels', (channels) => {
    const source = noise({ width: 5, height: 7, channels, depth: 8 });
    const copy = collectImage(source, (sink) => {
      const target = withAlphaOf(rowsOf(source), sink);
      const colors = withoutAlpha(rowsOf(source));
      expect([colors.channels, target.channels]).toEqual([channels - 1, channels - 1]);
      target.writeRows(colors.readRows(0, 3));
      target.writeRows(colors.readRows(3, 4));
    });
    expect(copy.data).toEqual(source.data);
  });

  it('is not made up', () => {
    const source = noise({ width: 2, height: 2, channels: 1, depth: 8 });
    expect(coloredShape(source)).toEqual({ width: 2, height: 2, channels: 3, depth: 8 });
    const sink = { ...coloredShape(source), writeRows: (): void => undefined };
    expect(withAlphaOf(rowsOf(source), sink)).toBe(sink);
  });
});
