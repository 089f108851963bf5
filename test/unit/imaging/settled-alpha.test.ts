import { describe, expect, it } from '@jest/globals';
import type { Image } from '../../../app/imaging/image.ts';
import { croppedRows, rowsOf } from '../../../app/imaging/rows.ts';
import type { Place } from '../../../app/imaging/settled-alpha.ts';
import { settledAlpha } from '../../../app/imaging/settled-alpha.ts';
import { collectImage } from '../../support/images/images.ts';

/** Gray 8 with the alpha given, a row of digits for a row: 0, 9 for full, others as they are. */
function picture(...rows: readonly string[]): Image {
  const width = rows[0]?.length ?? 0;
  const alpha = rows
    .join('')
    .split('')
    .map((digit) => (digit === '9' ? 255 : Number(digit)));
  const data = Uint8Array.from(alpha.flatMap((value) => [8, value]));
  return { width, height: rows.length, channels: 2, depth: 8, data };
}

/** What becomes of alpha 7 everywhere. */
function settled(source: Image, size: { width: number; height: number }, place?: Place): string[] {
  const shape = { ...size, channels: 2, depth: 8 } as const;
  const made = new Uint8Array(size.width * 2).fill(7);
  const { data } = collectImage(shape, (sink) => {
    const settling = settledAlpha(sink, rowsOf(source), place);
    for (let y = 0; y < size.height; y++) settling.writeRows(made);
  });
  return Array.from({ length: size.height }, (_, y) =>
    Array.from({ length: size.width }, (_column, x) => {
      const alpha = data[2 * (y * size.width + x) + 1];
      return alpha === 255 ? '9' : String(alpha);
    }).join(''),
  );
}

const EDGE = picture('000009999', '000009999', '000009999');

describe('Alpha that a network made', () => {
  it('is 0 or full where it was for two pixels around, and as it came at an edge', () => {
    expect(settled(EDGE, EDGE)).toEqual(Array<string>(3).fill('000777799'));
    expect(settled(EDGE, { width: 18, height: 6 })).toEqual(Array<string>(6).fill('000000777777779999'));
  });

  it('is settled in parts as in the whole', () => {
    const whole = settled(EDGE, { width: 18, height: 6 });
    const region = { x: 3, y: 2, width: 11, height: 3 };
    const place = { whole: { width: 18, height: 6 }, region };
    expect(settled(EDGE, region, place)).toEqual(whole.slice(2, 5).map((row) => row.slice(3, 14)));
  });

  it('is settled across and down, around a pixel that is neither', () => {
    const dot = picture('9999999', '9999999', '9999999', '9993999', '9999999', '9999999', '9999999');
    expect(settled(dot, dot)).toEqual(['9999999', ...Array<string>(5).fill('9777779'), '9999999']);
  });

  it('of a picture that was reduced needs more of the source alike', () => {
    expect(settled(EDGE, { width: 3, height: 1 })).toEqual(['777']);
  });

  it('is left alone where source or result has none', () => {
    const sink = { width: 9, height: 3, channels: 1, depth: 8, writeRows: () => undefined } as const;
    expect(settledAlpha(sink, rowsOf(EDGE))).toBe(sink);
    const other = { ...sink, channels: 2 } as const;
    const opaque = { width: 9, height: 3, channels: 1, depth: 8, data: new Uint8Array(27) } as const;
    expect(settledAlpha(other, croppedRows(rowsOf(opaque), { x: 0, y: 0, width: 9, height: 3 }))).toBe(other);
  });
});
