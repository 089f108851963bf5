import { reflect101 } from '../reflect.ts';
import type { Plane, RowFilter } from './plane.ts';
import { filterBothWays } from './plane.ts';

/**
 * Blurs by a Gaussian of `size` pixels (odd), rows and columns mirrored about their last pixels, as `cv2.GaussianBlur` does.
 * @param sigma its standard deviation in pixels; by default what OpenCV derives from the size
 */
export function gaussianBlur(plane: Plane, size: number, sigma?: number): Plane {
  if (size === 1) return plane;
  const filter = weightedMean(gaussianKernel(size, sigma));
  return filterBothWays(plane, filter, filter);
}

/** OpenCV's own weights for small kernels that derive their sigma: rounded to parts of 256. */
const SMALL_KERNELS: ReadonlyMap<number, readonly number[]> = new Map([
  [3, [0.25, 0.5, 0.25]],
  [5, [0.0625, 0.25, 0.375, 0.25, 0.0625]],
  [7, [0.03125, 0.109375, 0.21875, 0.28125, 0.21875, 0.109375, 0.03125]],
  [9, [4, 13, 30, 51, 60, 51, 30, 13, 4].map((part) => part / 256)],
]);

function gaussianKernel(size: number, sigma?: number): Float64Array {
  const small = sigma === undefined ? SMALL_KERNELS.get(size) : undefined;
  if (small) return Float64Array.from(small);
  const centre = (size - 1) / 2;
  const deviation = sigma ?? 0.3 * (centre - 1) + 0.8;
  const weights = Float64Array.from({ length: size }, (_, i) => Math.exp(-((i - centre) ** 2) / (2 * deviation ** 2)));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/** Where all values under the kernel are equal, which is most of a mask, nothing is multiplied. */
function weightedMean(kernel: Float64Array): RowFilter {
  const radius = (kernel.length - 1) / 2;
  return (source, target) => {
    const row = mirrored(source, radius);
    const runEnds = endsOfRuns(row);
    for (let x = 0; x < target.length; x++) {
      const isFlat = (runEnds[x] ?? 0) >= x + kernel.length;
      target[x] = isFlat ? (row[x] ?? 0) : weightedSum(row, x, kernel);
    }
  };
}

function weightedSum(row: Float64Array, from: number, kernel: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < kernel.length; i++) sum += (kernel[i] ?? 0) * (row[from + i] ?? 0);
  return sum;
}

/** `row` with `radius` values before and after it, mirrored about the first and the last (which are not repeated). */
function mirrored(row: Float32Array, radius: number): Float64Array {
  const length = row.length + 2 * radius;
  return Float64Array.from({ length }, (_, i) => row[reflect101(i - radius, row.length)] ?? 0);
}

/** For every position, where the run of equal values that it stands in ends (the first position after it). */
function endsOfRuns(row: Float64Array): Uint32Array {
  const ends = new Uint32Array(row.length);
  let end = row.length;
  for (let i = row.length - 1; i >= 0; i--) {
    if (row[i] !== row[i + 1]) end = i + 1;
    ends[i] = end;
  }
  return ends;
}
