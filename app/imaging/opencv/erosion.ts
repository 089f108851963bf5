import type { Plane, RowFilter } from './plane.ts';
import { filterBothWays } from './plane.ts';

/**
 * Erosion by a square of `size` pixels: every pixel becomes the smallest value around it, from `size / 2` (rounded down) before
 * to what is left after, as `cv2.erode` has it; what lies outside the plane counts for nothing. The time does not depend on `size`
 * (van Herk, Gil and Werman: smallest values of blocks, from both ends).
 */
export function erode(plane: Plane, size: number): Plane {
  if (size === 1) return plane;
  const filter = (): RowFilter => slidingMinimum(size);
  return filterBothWays(plane, filter(), filter());
}

/** The smallest of `size` neighbours along a row. Buffers are kept between rows of the same length. */
function slidingMinimum(size: number): RowFilter {
  let row = new Float32Array();
  let forward = row;
  let backward = row;
  return (source, target) => {
    const length = Math.ceil((source.length + size - 1) / size) * size;
    if (row.length !== length) {
      row = new Float32Array(length).fill(Infinity);
      [forward, backward] = [row.slice(), row.slice()];
    }
    row.set(source, size >> 1);
    for (let start = 0; start < length; start += size) scanBlock(row, { start, size }, forward, backward);
    for (let i = 0; i < target.length; i++) {
      const [toBlockEnd, fromBlockStart] = [backward[i] ?? 0, forward[i + size - 1] ?? 0];
      target[i] = toBlockEnd < fromBlockStart ? toBlockEnd : fromBlockStart;
    }
  };
}

/** The smallest value of a block up to each position, from its start (`forward`) and from its end (`backward`). */
function scanBlock(
  row: Float32Array,
  { start, size }: { readonly start: number; readonly size: number },
  forward: Float32Array,
  backward: Float32Array,
): void {
  let least = row[start] ?? 0;
  let last = row[start + size - 1] ?? 0;
  for (let i = start, j = start + size - 1; i < start + size; i++, j--) {
    const [value, mirrored] = [row[i] ?? 0, row[j] ?? 0];
    if (value < least) least = value;
    if (mirrored < last) last = mirrored;
    forward[i] = least;
    backward[j] = last;
  }
}
