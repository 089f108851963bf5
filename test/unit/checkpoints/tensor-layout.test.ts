import { describe, expect, it } from '@jest/globals';
import {
  checkedCount,
  contiguousStrides,
  elementCount,
  isContiguous,
  lastElement,
} from '../../../app/checkpoints/tensor-layout.ts';
import { refusalOf } from './refusal.ts';

describe('checkedCount', () => {
  it.each([0, 1, 2 ** 53 - 1])('passes %d', (value) => {
    expect(checkedCount(value, 'size')).toBe(value);
  });

  it.each([-1, 1.5, NaN, Infinity, 2 ** 53, 2n ** 62n, '3', null, true])('refuses %p', (value) => {
    expect(refusalOf(() => checkedCount(value, 'size')).kind).toBe('out-of-bounds');
  });
});

describe('elementCount', () => {
  it.each([
    [[], 1],
    [[2, 3, 4], 24],
    [[2 ** 40, 0, 2 ** 40], 0],
  ])('of %j is %d', (shape, count) => {
    expect(elementCount(shape)).toBe(count);
  });

  it('refuses a product that 64 bits would wrap', () => {
    expect(refusalOf(() => elementCount([2 ** 32, 2 ** 32])).kind).toBe('out-of-bounds');
  });

  it('refuses more than eight dimensions', () => {
    expect(refusalOf(() => elementCount(new Array<number>(9).fill(1))).kind).toBe('too-large');
  });
});

describe('strides', () => {
  it('of C order run from the last dimension', () => {
    expect(contiguousStrides([2, 3, 4])).toEqual([12, 4, 1]);
  });

  it('reach to the furthest element', () => {
    expect(lastElement([2, 3], [3, 1])).toBe(5);
    expect(lastElement([2, 3], [100, 0])).toBe(100);
    expect(lastElement([2, 0], [3, 1])).toBe(-1);
    expect(lastElement([], [])).toBe(0);
  });

  it.each([
    [[2, 3], [3, 1], true],
    [[2, 3], [1, 2], false],
    [[4, 1, 3], [3, 77, 1], true],
    [[0, 3], [9, 9], true],
    [[2, 3], [0, 1], false],
  ])('of shape %j, %j: contiguous is %p', (shape, strides, expected) => {
    expect(isContiguous(shape, strides)).toBe(expected);
  });
});
