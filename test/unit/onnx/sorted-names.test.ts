import { describe, expect, it } from '@jest/globals';
import { SortedNames } from '../../../app/onnx/sorted-names.ts';
import { cpuSecondsOf } from '../../support/cpu-seconds.ts';

const names = (...all: string[]) => SortedNames.of(new Map(all.map((name) => [name, 0])));

describe('SortedNames', () => {
  it.each([
    ['body', true],
    ['body.10', true],
    ['body.1', false],
    ['bod', false],
    ['body.10.weight', false],
    ['bodyguard', false],
    ['', false],
  ])('knows whether anything lies below %j', (path, expected) => {
    expect(names('body.10.weight', 'body.2', 'body-1', 'bodyguard').hasBelow(path)).toBe(expected);
  });

  it('finds the numbers below a path in their order, and nothing else', () => {
    const found = names('b.10.w', 'b.10.b', 'b.2', 'b.2.w', 'b.0.w', 'b.x.w', 'b.3x', 'b.', 'c.7.w', 'b-1.9.w');
    expect(found.indicesBelow('b')).toEqual([0, 2, 10]);
    expect(found.indicesBelow('a')).toEqual([]);
  });

  it('looks 49,000 blocks up one by one without going through all of them for each', () => {
    const many = names(...Array.from({ length: 49_000 }, (_, i) => `body.${i}.rdb1.conv1.weight`));
    const seconds = cpuSecondsOf(() => {
      const found = many.indicesBelow('body').filter((index) => many.hasBelow(`body.${index}.rdb1`));
      expect(found).toHaveLength(49_000);
    });
    expect(seconds).toBeLessThan(2);
  });
});
