import { globalAveragePool } from './pooling.ts';
import type { Value } from './value.ts';
import type { Weights } from './weights.ts';

/**
 * Channel attention, or squeeze and excitation (arXiv:1709.01507): every channel of `x` is weighed by what two 1x1
 * convolutions with a ReLU between and a sigmoid behind make of the mean of each over the picture.
 */
export function channelAttention(x: Value, squeeze: Weights, excite: Weights): Value {
  const weighed = globalAveragePool(x).conv(squeeze).relu().conv(excite).sigmoid();
  return x.multiply(weighed);
}
