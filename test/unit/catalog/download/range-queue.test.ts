import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ByteRange } from '../../../../app/catalog/download/byte-ranges.ts';
import { ByteRanges } from '../../../../app/catalog/download/byte-ranges.ts';
import { RangeQueue } from '../../../../app/catalog/download/range-queue.ts';

function drain(queue: RangeQueue): ByteRange[] {
  const taken: ByteRange[] = [];
  for (let range = queue.take(); range; range = queue.take()) taken.push(range);
  return taken;
}

describe('RangeQueue', () => {
  it('hands out everything once, in pieces within the bounds', () => {
    const sizes = fc.record({
      connections: fc.integer({ min: 1, max: 16 }),
      smallest: fc.integer({ min: 1, max: 50 }),
      more: fc.nat(500),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), sizes, (total, { connections, smallest, more }) => {
        const largest = smallest + more;
        const taken = drain(new RangeQueue([[0, total]], { connections, smallest, largest }));
        expect(taken.reduce((sum, [start, end]) => sum + end - start, 0)).toBe(total);
        expect(new ByteRanges(taken).missing(total)).toEqual([]);
        expect(taken.every(([start, end]) => end - start <= largest + smallest)).toBe(true);
        expect(taken.slice(0, -1).every(([start, end]) => end - start >= smallest)).toBe(true);
      }),
    );
  });

  it('cuts smaller pieces towards the end', () => {
    const taken = drain(new RangeQueue([[0, 1000]], { connections: 2, smallest: 10, largest: 400 }));
    const lengths = taken.map(([start, end]) => end - start);
    expect(lengths[0]).toBe(250);
    expect(lengths.slice(0, -1)).toEqual([...lengths.slice(0, -1)].sort((a, b) => b - a));
    expect(lengths.at(-1)).toBeLessThan(30);
  });

  it('hands out again what is given back, first', () => {
    const queue = new RangeQueue([[0, 100]], { connections: 1, smallest: 10, largest: 10 });
    queue.take();
    queue.giveBack([4, 10]);
    expect(queue.take()).toEqual([4, 10]);
    queue.giveBack([7, 7]);
    expect(queue.take()).toEqual([10, 20]);
  });
});
