import { convolve } from '../convolution.ts';
import { layerNorm2d } from '../normalization.ts';
import { inConvLayout } from '../pooling.ts';
import type { Value } from '../value.ts';
import { weightFor } from '../weight-for.ts';
import type { Weights } from '../weights.ts';
import type { Halves } from './folded-convolution.ts';
import { convHalves, convolveHalves } from './folded-convolution.ts';

/** More channels than this have weights that take longer to prepare when a session loads than small maps gain by them. */
const MAX_FOLDED_CHANNELS = 512;

/**
 * `convHalves` of the LayerNorm over the channels of every pixel (`norm`: `weight`, `bias`). On the CPU a map is only divided by the deviation of each
 * pixel's channels, in the layout of convolutions. Their mean, the norm's weight and its bias go into the convolution's weights when the session
 * loads: a convolution whose weights sum to zero for every output sees no mean. So no map takes another layout but for what its pixels' sums need. A
 * GPU has a norm of its own, which goes over a map once.
 * @param epsilon what the variance is raised by
 */
export function normedConvHalves(x: Value, norm: Weights, conv: Weights, epsilon: number): Halves {
  const channels = x.size(1);
  if (x.graph.target === 'gpu' || channels > MAX_FOLDED_CHANNELS)
    return convHalves(inConvLayout(layerNorm2d(x, norm, epsilon)), conv);
  const { weight, bias } = centered(x, norm, conv);
  return convolveHalves(x.multiply(atAllChannels(inverseDeviation(x, epsilon), channels)), weight, bias);
}

/** What gives of a map over its deviation what the file's convolution gives of its norm. */
function centered(x: Value, norm: Weights, conv: Weights): { readonly weight: Value; readonly bias: Value } {
  const channels = x.size(1);
  const { graph } = x;
  const own = weightFor(x, conv, 'weight', [null, channels, 1, 1]);
  const outputs = own.size(0);
  const scaled = own.multiply(weightFor(x, norm, 'weight', [channels]).reshape([1, channels, 1, 1]));
  const shift = own.reshape([outputs, channels]).matmul(weightFor(x, norm, 'bias', [channels]).reshape([channels, 1]));
  const bias = graph.weight(conv.take('bias', [outputs]));
  return { weight: scaled.subtract(scaled.mean(1)), bias: bias.add(shift.reshape([outputs])) };
}

/**
 * One over the deviation of every pixel's channels, [N, 1, H, W]. The variance is the product of what the root of the mean square has over the
 * mean and of their sum, so that no square of a map is needed, which float16 could not hold.
 */
function inverseDeviation(x: Value, epsilon: number): Value {
  const { graph } = x;
  const mean = meanOverChannels(x);
  const attributes = { keepdims: 1 };
  const length = graph.node({ op: 'ReduceL2', inputs: [x, graph.integers([1])], attributes }, mean.shape);
  const root = length.scale(1 / Math.sqrt(x.size(1)));
  const variance = root.subtract(mean).multiply(root.add(mean)).relu();
  return graph.constant(1).divide(variance.add(graph.constant(epsilon)).sqrt());
}

/** [N, 1, H, W], where sides are known as a product of matrices, which takes half as long as onnxruntime's mean. */
function meanOverChannels(x: Value): Value {
  const [n = null, channels = null, h = null, w = null] = x.shape;
  if (n === null || channels === null || h === null || w === null) return x.mean(1);
  const shares = x.graph.constant(new Array<number>(channels).fill(1 / channels), [1, channels]);
  return shares.matmul(x.reshape([n, channels, h * w])).reshape([n, 1, h, w]);
}

/** [N, 1, H, W] at every channel, by a convolution: maps of one shape are multiplied in its layout. */
function atAllChannels(x: Value, channels: number): Value {
  const ones = new Array<number>(channels).fill(1);
  return convolve(x, { weight: x.graph.constant(ones, [channels, 1, 1, 1]) });
}
