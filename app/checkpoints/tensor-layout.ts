import { CheckpointError } from './errors.ts';

/** torch allows 64 dimensions; networks have at most 6. */
const MAX_RANK = 8;

/**
 * A size, stride, offset or length from a file as a number that is safe to calculate with.
 * @throws CheckpointError `out-of-bounds` unless it is an integer from 0 to 2^53 - 1.
 */
export function checkedCount(value: unknown, what: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  const got = typeof value === 'number' || typeof value === 'bigint' ? value.toString() : typeof value;
  throw new CheckpointError(
    'out-of-bounds',
    `expected a tensor's ${what} to be an integer from 0 to 2^53 - 1, got ${got}`,
  );
}

/**
 * The number of elements of a shape. The product of doubles cannot wrap: it is exact up to 2^53 and larger than that beyond.
 * @throws CheckpointError `out-of-bounds` for more than 2^53, `too-large` for too many dimensions.
 */
export function elementCount(shape: readonly number[]): number {
  if (shape.length > MAX_RANK) {
    throw new CheckpointError('too-large', `a tensor of ${shape.length} dimensions; at most ${MAX_RANK} are read`);
  }
  const count = shape.includes(0) ? 0 : shape.reduce((product, size) => product * size, 1);
  if (!Number.isSafeInteger(count)) {
    throw new CheckpointError(
      'out-of-bounds',
      `a tensor of shape [${shape.join(', ')}] has more elements than any file`,
    );
  }
  return count;
}

/** Index of the furthest element from element 0, in elements; -1 where there is none. May exceed 2^53, but never wraps. */
export function lastElement(shape: readonly number[], strides: readonly number[]): number {
  if (elementCount(shape) === 0) return -1;
  return shape.reduce((sum, size, d) => sum + (size - 1) * (strides[d] ?? 0), 0);
}

/** Strides of a tensor in C order. */
export function contiguousStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    strides[d] = step;
    step *= shape[d] ?? 1;
  }
  return strides;
}

/** Whether elements lie in C order without gaps. The stride of a dimension of size 1 means nothing (as in torch). */
export function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  if (shape.includes(0)) return true;
  const dense = contiguousStrides(shape);
  return shape.every((size, d) => size === 1 || strides[d] === dense[d]);
}
