import { describe, expect, it } from '@jest/globals';
import type { Image, Samples } from '../../../app/imaging/image.ts';
import { inOneColor, onlyVisibleColor } from '../../../app/imaging/one-color.ts';

const of = (channels: Image['channels'], data: Samples): Image => ({
  width: data.length / channels,
  height: 1,
  channels,
  depth: data instanceof Uint16Array ? 16 : 8,
  data,
});

describe('The only colour that a picture shows', () => {
  it('is that of all pixels that are not wholly transparent, in 8 and 16 bits, gray and colour', () => {
    expect(onlyVisibleColor(of(4, Uint8Array.of(9, 9, 9, 0, 1, 2, 3, 255, 1, 2, 3, 7)))).toEqual(
      Uint8Array.of(1, 2, 3),
    );
    expect(onlyVisibleColor(of(2, Uint16Array.of(5, 0, 300, 65_535)))).toEqual(Uint16Array.of(300));
    expect(onlyVisibleColor(of(2, Uint8Array.of(5, 128, 5, 128)))).toEqual(Uint8Array.of(5));
  });

  it('is none where there are two, none, or nothing is transparent', () => {
    expect(onlyVisibleColor(of(4, Uint8Array.of(1, 2, 3, 255, 1, 2, 4, 1)))).toBeUndefined();
    expect(onlyVisibleColor(of(4, Uint8Array.of(1, 2, 3, 0, 1, 2, 3, 0)))).toBeUndefined();
    expect(onlyVisibleColor(of(4, Uint8Array.of(1, 2, 3, 255, 1, 2, 3, 255)))).toBeUndefined();
    expect(onlyVisibleColor(of(3, Uint8Array.of(1, 2, 3, 1, 2, 3)))).toBeUndefined();
  });

  it('is written into every pixel, beside its alpha', () => {
    const written: Samples[] = [];
    const sink = { ...of(4, new Uint8Array(8)), writeRows: (rows: Samples) => void written.push(rows) };
    const rows = Uint8Array.of(9, 8, 7, 0, 4, 4, 4, 200);
    inOneColor(sink, Uint8Array.of(1, 2, 3)).writeRows(rows);
    expect(written).toEqual([Uint8Array.of(1, 2, 3, 0, 1, 2, 3, 200)]);
    expect(rows[0]).toBe(9);
  });
});
