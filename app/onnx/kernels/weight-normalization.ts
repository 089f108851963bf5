import type { ConvOptions } from '../convolution.ts';
import { convolve } from '../convolution.ts';
import type { Graph } from '../graph.ts';
import type { Value } from '../value.ts';
import type { Weights } from '../weights.ts';

/**
 * A convolution under spectral norm (`torch.nn.utils.spectral_norm` in eval mode): `weight_orig` divided by its largest
 * singular value, as `weight_u` and `weight_v` estimate it, and `bias`. The output is divided instead of the weight, which
 * therefore stays where it lies in the file.
 */
export function spectralConv(x: Value, weights: Weights, options: ConvOptions = {}): Value {
  const { graph } = x;
  const weight = imageKernel(graph.weight(weights.take('weight_orig')));
  const y = convolve(x, { weight }, options).divide(spectralNorm(weight, weights));
  if (options.bias === false) return y;
  return y.add(graph.weight(weights.take('bias', [weight.size(0)])).reshape([1, weight.size(0), 1, 1]));
}

/** The weight of such a convolution, OIHW, divided: for small ones, of which the graph needs more than the convolution. */
export function spectralWeight(graph: Graph, weights: Weights): Value {
  const weight = imageKernel(graph.weight(weights.take('weight_orig')));
  return weight.divide(spectralNorm(weight, weights));
}

/**
 * A convolution under weight norm (`torch.nn.utils.weight_norm`): every output channel's kernel `weight_v` scaled to the length
 * `weight_g`, and `bias`.
 */
export function weightNormConv(x: Value, weights: Weights, options: ConvOptions = {}): Value {
  const { graph } = x;
  const direction = graph.weight(weights.take('weight_v', [null, null, null, null]));
  const outputs = direction.size(0);
  const length = direction.multiply(direction).sum(1, 2, 3).sqrt();
  const weight = direction.multiply(graph.weight(weights.take('weight_g', [outputs, 1, 1, 1])).divide(length));
  return convolve(x, { weight, bias: graph.weight(weights.take('bias', [outputs])) }, options);
}

/**
 * u . (W v), where W is the weight as a matrix of one row an output channel. W v is what the convolution answers to the one
 * picture v, so that W is never copied into another shape. All constants: computed once, when the session loads.
 */
function spectralNorm(weight: Value, weights: Weights): Value {
  const { graph } = weight;
  const [outputs, ...kernel] = [weight.size(0), weight.size(1), weight.size(2), weight.size(3)];
  const u = graph.weight(weights.take('weight_u', [outputs])).reshape([1, outputs, 1, 1]);
  const v = graph.weight(weights.take('weight_v', [kernel.reduce((product, size) => product * size, 1)]));
  return convolve(v.reshape([1, ...kernel]), { weight }, { padding: 0 })
    .multiply(u)
    .sum(1);
}

/** OIHW of a weight that may be OIW (1-d convolution). */
function imageKernel(weight: Value): Value {
  return weight.shape.length === 3 ? weight.unsqueeze(3) : weight;
}
