import { describe, expect, it } from '@jest/globals';
import { cropRows } from '../../../app/imaging/crop-rows.ts';
import { rowsOf } from '../../../app/imaging/rows.ts';

const data = Uint16Array.from({ length: 5 * 4 * 2 }, (_, index) => index * 100);
const source = rowsOf({ width: 5, height: 4, channels: 2, depth: 16, data });

describe('cropRows', () => {
  it('gives the pixels of the rectangle, whichever rows are read', () => {
    const cropped = cropRows(source, { x: 1, y: 2, width: 3, height: 2 });
    expect(cropped).toMatchObject({ width: 3, height: 2, channels: 2, depth: 16 });
    const at = (row: number): number[] => [...data.subarray((row * 5 + 1) * 2, (row * 5 + 4) * 2)];
    expect([...cropped.readRows(0, 2)]).toEqual([...at(2), ...at(3)]);
    expect([...cropped.readRows(1, 1)]).toEqual(at(3));
  });

  it('refuses what is not within the picture', () => {
    expect(() => cropRows(source, { x: 3, y: 0, width: 3, height: 1 })).toThrow('3x1 at 3,0 is not within 5x4');
    expect(() => cropRows(source, { x: 0, y: -1, width: 1, height: 1 })).toThrow(RangeError);
  });
});
