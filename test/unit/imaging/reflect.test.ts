import { describe, expect, it } from '@jest/globals';
import { reflect, reflect101 } from '../../../app/imaging/reflect.ts';

const around = (place: (index: number, size: number) => number, size: number): string =>
  Array.from({ length: 13 }, (_, i) => place(i - 5, size)).join(' ');

describe('places beside a row', () => {
  it('are mirrored with the last one repeated', () => {
    expect(around(reflect, 3)).toBe('1 2 2 1 0 0 1 2 2 1 0 0 1');
    expect(around(reflect, 1)).toBe('0 0 0 0 0 0 0 0 0 0 0 0 0');
  });

  it('are mirrored about the last one, to and fro', () => {
    expect(around(reflect101, 3)).toBe('1 0 1 2 1 0 1 2 1 0 1 2 1');
    expect(around(reflect101, 2)).toBe('1 0 1 0 1 0 1 0 1 0 1 0 1');
    expect(around(reflect101, 1)).toBe('0 0 0 0 0 0 0 0 0 0 0 0 0');
  });
});
