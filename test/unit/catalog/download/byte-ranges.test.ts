import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ByteRange } from '../../../../app/catalog/download/byte-ranges.ts';
import { ByteRanges } from '../../../../app/catalog/download/byte-ranges.ts';

const range = fc.tuple(fc.nat(60), fc.nat(60)).map(([a, b]): ByteRange => [Math.min(a, b), Math.max(a, b)]);

function offsetsOf(ranges: readonly ByteRange[]): Set<number> {
  return new Set(ranges.flatMap(([start, end]) => Array.from({ length: end - start }, (_, index) => start + index)));
}

describe('ByteRanges', () => {
  it('is the set of offsets that were added, in sorted ranges with gaps between them', () => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 12 }), (added) => {
        const ranges = new ByteRanges(added);
        const stored = ranges.toJSON();
        expect(offsetsOf(stored)).toEqual(offsetsOf(added));
        expect(ranges.size).toBe(offsetsOf(added).size);
        expect(stored.every(([start, end], index) => start < end && start > (stored[index - 1]?.[1] ?? -1))).toBe(true);
      }),
    );
  });

  it('misses exactly what was not added', () => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 12 }), fc.nat(80), (added, total) => {
        const missing = new ByteRanges(added).missing(total);
        const expected = [...offsetsOf([[0, total]])].filter((offset) => !offsetsOf(added).has(offset));
        expect(offsetsOf(missing)).toEqual(new Set(expected));
      }),
    );
  });

  it('knows where it ends', () => {
    expect(new ByteRanges().end).toBe(0);
    expect(
      new ByteRanges([
        [5, 9],
        [1, 2],
      ]).end,
    ).toBe(9);
  });
});
