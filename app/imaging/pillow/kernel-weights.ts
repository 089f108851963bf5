import type { BitDepth } from '../image.ts';
import type { KernelMemory } from './kernel-memory.ts';
import type { Windows } from './resample-windows.ts';
import { FRACTION_BITS } from './resample-windows.ts';

/** Where the weights of windows lie in the kernels' memory, as the kernels want them. */
export interface KernelWeights {
  /** 16 bits: doubles. 8 bits: the lower 16 bits of the weights in fixed point. */
  readonly address: number;
  /** 8 bits: the upper 16 bits. */
  readonly highs: number;
  /** Bytes of a weight, or of its lower or upper half. */
  readonly size: number;
  /** Bytes from one window's to the next's. */
  readonly stride: number;
}

/** Kernels take up to this many weights at once; those past a window are 0. */
const AT_ONCE = 8;

/** Puts weights into the kernels' memory. In fixed point halves are rounded away from zero, as the reference does. */
export function putWeights(memory: KernelMemory, windows: Windows, depth: BitDepth): KernelWeights {
  const { outputSize, stride, weights } = windows;
  const padded = Math.ceil(stride / AT_ONCE) * AT_ONCE;
  if (depth === 16) {
    const doubles = new Float64Array(outputSize * padded);
    for (let i = 0; i < outputSize; i++) doubles.set(weights.subarray(i * stride, (i + 1) * stride), i * padded);
    return { address: memory.put(doubles), highs: 0, size: 8, stride: padded * 8 };
  }
  const lows = new Int16Array(outputSize * padded);
  const highs = new Int16Array(outputSize * padded);
  const one = 1 << FRACTION_BITS;
  for (let i = 0; i < outputSize; i++) {
    for (let k = 0; k < stride; k++) {
      const weight = weights[i * stride + k] ?? 0;
      const fixed = Math.trunc(weight * one + (weight < 0 ? -0.5 : 0.5));
      const at = i * padded + k;
      lows[at] = fixed; // storing it leaves the lower 16 bits, signed
      highs[at] = (fixed - (lows[at] ?? 0)) >> 16;
    }
  }
  return { address: memory.put(lows), highs: memory.put(highs), size: 2, stride: padded * 2 };
}
