import { convolve } from '../convolution.ts';
import type { Value } from '../value.ts';
import type { WeightTensor, Weights } from '../weights.ts';

/** The first half of a map's channels, and the second. */
export type Halves = readonly [first: Value, second: Value];

/**
 * The halves of the channels that a 1x1 convolution gives (`weight`, and `bias` unless it has none), each by a convolution of its own. Cutting
 * the weights when the session loads is cheaper than cutting the map in every run, for which the CPU leaves the layout of convolutions.
 */
export function convHalves(x: Value, weights: Weights, options: { readonly bias?: false } = {}): Halves {
  const weight = x.graph.weight(weights.take('weight', [null, x.size(1), 1, 1]));
  const bias = options.bias ?? x.graph.weight(weights.take('bias', [weight.size(0)]));
  return convolveHalves(x, weight, bias || undefined);
}

/** `convHalves` by operands from anywhere: `weight` [2 O, C, 1, 1], `bias` [2 O]. */
export function convolveHalves(x: Value, weight: Value, bias?: Value): Halves {
  return inHalves(weight.size(0), (from, to) =>
    convolve(x, { weight: weight.slice(0, from, to), bias: bias?.slice(0, from, to) }),
  );
}

/** `depthwiseConv` of a map that comes in halves. */
export function depthwiseConvHalves(halves: Halves, weights: Weights, options: { readonly bias?: false } = {}): Halves {
  const [{ graph }] = halves;
  const half = halves[0].size(1);
  const weight = graph.weight(weights.take('weight', [2 * half, 1, null, null]));
  const bias = options.bias ?? graph.weight(weights.take('bias', [2 * half]));
  return inHalves(2 * half, (from, to) =>
    convolve(
      halves[from === 0 ? 0 : 1],
      { weight: weight.slice(0, from, to), bias: bias ? bias.slice(0, from, to) : undefined },
      { groups: half },
    ),
  );
}

/**
 * A 1x1 convolution (`weight`, `bias`) whose every channel is then multiplied by a number of the file's: both are one convolution, whose
 * weights are multiplied when the session loads.
 * @param factors [1, C, 1, 1]
 */
export function scaledConv(x: Value, weights: Weights, factors: WeightTensor): Value {
  const { graph } = x;
  const weight = graph.weight(weights.take('weight', [null, x.size(1), 1, 1]));
  const outputs = weight.size(0);
  const scale = graph.weight(factors);
  return convolve(x, {
    weight: weight.multiply(scale.reshape([outputs, 1, 1, 1])),
    bias: graph.weight(weights.take('bias', [outputs])).multiply(scale.reshape([outputs])),
  });
}

function inHalves(channels: number, part: (from: number, to: number) => Value): Halves {
  return [part(0, channels / 2), part(channels / 2, channels)];
}
