import { describe, expect, it } from '@jest/globals';
import { changedPart } from '../../../app/imaging/changed-part.ts';
import type { Image } from '../../../app/imaging/image.ts';
import { rowsOf } from '../../../app/imaging/rows.ts';
import { gradient } from '../../support/images/images.ts';

const before = gradient({ width: 21, height: 13, channels: 4, depth: 8 });

/** With another sample in each of the pixels. */
function changedAt(...pixels: readonly (readonly [x: number, y: number])[]): Image {
  const data = before.data.slice();
  for (const [x, y] of pixels) data.set([1], (y * before.width + x) * 4 + 3);
  return { ...before, data };
}

describe('The part of a picture that has changed', () => {
  it.each([
    ['a pixel', [[6, 4]], { x: 6, y: 4, width: 1, height: 1 }],
    ['a pixel at odd numbers', [[7, 5]], { x: 6, y: 4, width: 2, height: 2 }],
    [
      'two corners',
      [
        [0, 12],
        [20, 0],
      ],
      { x: 0, y: 0, width: 21, height: 13 },
    ],
    [
      'some of a row',
      [
        [3, 12],
        [9, 12],
      ],
      { x: 2, y: 12, width: 8, height: 1 },
    ],
    ['nothing', [], { x: 0, y: 0, width: 1, height: 1 }],
  ] as const)('has %s', (_what, pixels, part) => {
    expect(changedPart(rowsOf(before), rowsOf(changedAt(...pixels)))).toEqual(part);
  });
});
