import { WeightsError } from './errors.ts';
import { unitLength } from './normalization.ts';
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

/** What attention between channels works on: [N, C, H, W] each. */
export interface ChannelMaps {
  readonly query: Value;
  readonly key: Value;
  readonly value: Value;
}

/**
 * Attention between channels instead of pixels (Restormer's MDTA, arXiv:2111.09881): every head compares its channels by the
 * cosine of their maps, times the head's temperature ([heads, 1, 1] in the file). Sides must be known.
 * @param name of the temperature in the file
 */
export function transposedAttention({ query, key, value }: ChannelMaps, weights: Weights, name = 'temperature'): Value {
  const [n, channels, height, width] = [0, 1, 2, 3].map((axis) => query.size(axis)) as [number, number, number, number];
  const heads = weights.dim(name, 0);
  if (channels % heads !== 0) {
    throw new WeightsError(`${weights.take(name).name}: ${heads} heads cannot share ${channels} channels`);
  }
  const temperature = query.graph.weight(weights.take(name, [heads, 1, 1]));
  const split = (x: Value): Value => x.reshape([n, heads, channels / heads, height * width]);
  const scores = unitLength(split(query), 3).matmul(unitLength(split(key), 3).transpose([0, 1, 3, 2]));
  const mixed = scores.multiply(temperature).softmax().matmul(split(value));
  return mixed.reshape([n, channels, height, width]);
}
