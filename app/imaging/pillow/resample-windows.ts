import { sinc } from '../sinc.ts';

/** Pillow's names. NEAREST picks; the others weigh a window, widened by the ratio when reducing. */
export type Filter = 'NEAREST' | 'BILINEAR' | 'BICUBIC' | 'LANCZOS';

export type WindowedFilter = Exclude<Filter, 'NEAREST'>;

/** For each output position, which input positions it is made of and how much of each. */
export interface Windows {
  readonly inputSize: number;
  readonly outputSize: number;
  /** First input position, per output position. */
  readonly starts: Int32Array;
  /** Input positions used, per output position. */
  readonly counts: Int32Array;
  /** Distance between the weights of two output positions; those past `counts` are 0. */
  readonly stride: number;
  /** `outputSize * stride` weights, each window summing to 1. */
  readonly weights: Float64Array;
}

/** Fractional bits of an 8-bit pass: 32, less 8 for the sample and 2 for sums outside 0..255 (Pillow's PRECISION_BITS). */
export const FRACTION_BITS = 22;

const KERNELS: Readonly<Record<WindowedFilter, { readonly support: number; readonly at: (x: number) => number }>> = {
  BILINEAR: { support: 1, at: triangle },
  BICUBIC: { support: 2, at: cubic },
  LANCZOS: { support: 3, at: lanczos },
};

/**
 * The windows along one axis, as `precompute_coeffs` of Pillow 13's Resample.c: pixel centres at .5, bounds truncated
 * after adding a half, weights normalised over what lies inside the image.
 */
export function resampleWindows(inputSize: number, outputSize: number, filter: WindowedFilter): Windows {
  const kernel = KERNELS[filter];
  const scale = inputSize / outputSize;
  const stretch = Math.max(scale, 1);
  const inverseStretch = 1 / stretch; // multiplied, not divided by: the last bit of a weight depends on it
  const support = kernel.support * stretch;
  const stride = Math.ceil(support) * 2 + 1;
  const starts = new Int32Array(outputSize);
  const counts = new Int32Array(outputSize);
  const weights = new Float64Array(outputSize * stride);
  for (let i = 0; i < outputSize; i++) {
    const center = (i + 0.5) * scale;
    const start = Math.max(Math.trunc(center - support + 0.5), 0);
    const count = Math.min(Math.trunc(center + support + 0.5), inputSize) - start;
    const window = weights.subarray(i * stride, i * stride + count);
    let sum = 0;
    for (let k = 0; k < count; k++) {
      const weight = kernel.at((k + start - center + 0.5) * inverseStretch);
      window[k] = weight;
      sum += weight;
    }
    if (sum !== 0) divide(window, sum);
    starts[i] = start;
    counts[i] = count;
  }
  return { inputSize, outputSize, starts, counts, stride, weights };
}

/**
 * The windows of some output positions alone, over the input positions that they use. Without windows (a side that stays as it is)
 * positions are the same before and after.
 * @returns also where those input positions begin, and how many they are
 */
export function cutWindows(
  windows: Windows | undefined,
  inputSize: number,
  first: number,
  count: number,
): { readonly windows: Windows | undefined; readonly from: number; readonly size: number } {
  if (!windows) return { windows, from: first, size: count };
  const counts = windows.counts.slice(first, first + count);
  const whole = windows.starts.subarray(first, first + count);
  let [from, end] = [inputSize, 0];
  for (const [i, start] of whole.entries()) {
    from = Math.min(from, start);
    end = Math.max(end, start + (counts[i] ?? 0));
  }
  const { stride } = windows;
  const weights = windows.weights.slice(first * stride, (first + count) * stride);
  const starts = whole.map((start) => start - from);
  const size = end - from;
  return { windows: { inputSize: size, outputSize: count, starts, counts, stride, weights }, from, size };
}

function divide(values: Float64Array, divisor: number): void {
  for (let i = 0; i < values.length; i++) values[i] = (values[i] ?? 0) / divisor;
}

function triangle(x: number): number {
  return Math.max(1 - Math.abs(x), 0);
}

/** Keys' cubic convolution with a = -0.5, in the order of operations that Pillow uses. */
function cubic(x: number): number {
  const a = -0.5;
  const t = Math.abs(x);
  if (t < 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  return t < 2 ? (((t - 5) * t + 8) * t - 4) * a : 0;
}

function lanczos(x: number): number {
  return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0;
}
