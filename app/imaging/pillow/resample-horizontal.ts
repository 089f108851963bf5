import type { Channels, ImageShape } from '../image.ts';
import { allocateSamples } from '../image.ts';
import type { Windows } from './resample-windows.ts';
import { FRACTION_BITS, fixedPointWeights } from './resample-windows.ts';
import type { PushRows } from '../row-batch.ts';

/** What a kernel reads: rows in, rows out, and the weights in the unit that the depth asks for. */
interface Job<Input, Output> {
  readonly source: Input;
  readonly target: Output;
  readonly rows: number;
  readonly weights: Output extends Uint16Array ? Float64Array : Int32Array;
}

type Job8 = Job<Uint8Array, Uint8ClampedArray>;
type Job16 = Job<Uint16Array, Uint16Array>;

/** Bound here: looking them up on the global costs tenfold where the module runs in a `vm` context, as tests do. */
const { imul, max, min } = Math;

const HALF = 1 << (FRACTION_BITS - 1);

const KERNELS_8: Readonly<Record<Channels, (job: Job8, windows: Windows) => void>> = {
  1: weigh1,
  2: weigh2,
  3: weigh3,
  4: weigh4,
};

/**
 * Resamples along x, rows in and rows out. 8-bit sums are exact 32-bit integers, rounded once and clipped; 16-bit sums
 * are doubles, rounded half away from zero, as Pillow's `_ImagingResampleHorizontal_8bpc` and `_16bpc`.
 */
export function horizontalPass(
  shape: Pick<ImageShape, 'channels' | 'depth'>,
  windows: Windows,
  push: PushRows,
): PushRows {
  const { channels, depth } = shape;
  const inputLength = windows.inputSize * channels;
  const outputLength = windows.outputSize * channels;
  const fixed = depth === 8 ? fixedPointWeights(windows) : new Int32Array(0);
  let output = allocateSamples(depth, 0);
  return (source) => {
    const rows = source.length / inputLength;
    if (output.length < rows * outputLength) output = allocateSamples(depth, rows * outputLength);
    const target = output.subarray(0, rows * outputLength);
    if (source instanceof Uint8Array) {
      const clamped = new Uint8ClampedArray(target.buffer, target.byteOffset, target.length);
      KERNELS_8[channels]({ source, target: clamped, rows, weights: fixed }, windows);
    } else {
      weigh16({ source, target: target as Uint16Array, rows, weights: windows.weights }, windows, channels);
    }
    push(target);
  };
}

// One function per channel count: with the sums in registers a pixel costs a third of what an inner loop over channels does.
// Typed-array reads are in bounds by construction; `!` there keeps the checks out of the loops.
/* eslint-disable @typescript-eslint/no-non-null-assertion */

function weigh1({ source, target, rows, weights }: Job8, windows: Windows): void {
  const { inputSize, outputSize, starts, counts, stride } = windows;
  for (let row = 0, o = 0; row < rows; row++) {
    for (let x = 0, k = 0; x < outputSize; x++, k += stride) {
      let s = row * inputSize + starts[x]!;
      let sum = HALF;
      for (let i = k, end = k + counts[x]!; i < end; i++, s++) sum = (sum + imul(source[s]!, weights[i]!)) | 0;
      target[o++] = sum >> FRACTION_BITS;
    }
  }
}

function weigh2({ source, target, rows, weights }: Job8, windows: Windows): void {
  const { inputSize, outputSize, starts, counts, stride } = windows;
  for (let row = 0, o = 0; row < rows; row++) {
    for (let x = 0, k = 0; x < outputSize; x++, k += stride) {
      let s = (row * inputSize + starts[x]!) * 2;
      let sum0 = HALF;
      let sum1 = HALF;
      for (let i = k, end = k + counts[x]!; i < end; i++, s += 2) {
        const weight = weights[i]!;
        sum0 = (sum0 + imul(source[s]!, weight)) | 0;
        sum1 = (sum1 + imul(source[s + 1]!, weight)) | 0;
      }
      target[o] = sum0 >> FRACTION_BITS;
      target[o + 1] = sum1 >> FRACTION_BITS;
      o += 2;
    }
  }
}

function weigh3({ source, target, rows, weights }: Job8, windows: Windows): void {
  const { inputSize, outputSize, starts, counts, stride } = windows;
  for (let row = 0, o = 0; row < rows; row++) {
    for (let x = 0, k = 0; x < outputSize; x++, k += stride) {
      let s = (row * inputSize + starts[x]!) * 3;
      let sum0 = HALF;
      let sum1 = HALF;
      let sum2 = HALF;
      for (let i = k, end = k + counts[x]!; i < end; i++, s += 3) {
        const weight = weights[i]!;
        sum0 = (sum0 + imul(source[s]!, weight)) | 0;
        sum1 = (sum1 + imul(source[s + 1]!, weight)) | 0;
        sum2 = (sum2 + imul(source[s + 2]!, weight)) | 0;
      }
      target[o] = sum0 >> FRACTION_BITS;
      target[o + 1] = sum1 >> FRACTION_BITS;
      target[o + 2] = sum2 >> FRACTION_BITS;
      o += 3;
    }
  }
}

function weigh4({ source, target, rows, weights }: Job8, windows: Windows): void {
  const { inputSize, outputSize, starts, counts, stride } = windows;
  for (let row = 0, o = 0; row < rows; row++) {
    for (let x = 0, k = 0; x < outputSize; x++, k += stride) {
      let s = (row * inputSize + starts[x]!) * 4;
      let sum0 = HALF;
      let sum1 = HALF;
      let sum2 = HALF;
      let sum3 = HALF;
      for (let i = k, end = k + counts[x]!; i < end; i++, s += 4) {
        const weight = weights[i]!;
        sum0 = (sum0 + imul(source[s]!, weight)) | 0;
        sum1 = (sum1 + imul(source[s + 1]!, weight)) | 0;
        sum2 = (sum2 + imul(source[s + 2]!, weight)) | 0;
        sum3 = (sum3 + imul(source[s + 3]!, weight)) | 0;
      }
      target[o] = sum0 >> FRACTION_BITS;
      target[o + 1] = sum1 >> FRACTION_BITS;
      target[o + 2] = sum2 >> FRACTION_BITS;
      target[o + 3] = sum3 >> FRACTION_BITS;
      o += 4;
    }
  }
}

function weigh16({ source, target, rows, weights }: Job16, windows: Windows, channels: Channels): void {
  const { inputSize, outputSize, starts, counts, stride } = windows;
  for (let row = 0, o = 0; row < rows; row++) {
    for (let sample = 0; sample < outputSize * channels; sample++) {
      const x = (sample / channels) | 0;
      const k = x * stride;
      let s = (row * inputSize + starts[x]!) * channels + (sample % channels);
      let sum = 0;
      for (let i = k, end = k + counts[x]!; i < end; i++, s += channels) sum += source[s]! * weights[i]!;
      target[o++] = min(max(sum + 0.5, 0), 65535);
    }
  }
}
