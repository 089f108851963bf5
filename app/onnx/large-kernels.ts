import { assertKeepsSize, convolve } from './convolution.ts';
import type { Value } from './value.ts';
import type { Weights } from './weights.ts';

/**
 * A convolution of few channels by a large kernel (`weight` [O, I, K, K], K odd; `bias`) that keeps the size: calculated for 2 x 2 pixels at a time,
 * as one of stride 2 with four times the channels, whose kernels are the same one, moved. That is a little more arithmetic (by (1 + 1 / K)^2),
 * but enough channels for processors to keep their multipliers busy. Sides that are not known are left to the plain convolution.
 */
export function largeKernelConv(x: Value, weights: Weights): Value {
  const [height, width] = x.shape.slice(2);
  if (typeof height !== 'number' || typeof width !== 'number') return x.conv(weights);
  const { graph } = x;
  const kernel = weights.dim('weight', 2);
  const weight = graph.weight(weights.take('weight', [null, x.size(1), kernel, kernel]));
  assertKeepsSize(graph.describe(weight), [kernel, kernel]);
  const [outputs, inputs] = [weight.size(0), weight.size(1)];
  const moved = (dy: number, dx: number) => weight.pad([dy, dx, 1 - dy, 1 - dx], 'constant').unsqueeze(1);
  const kernels = moved(0, 0)
    .concat([moved(0, 1), moved(1, 0), moved(1, 1)])
    .reshape([4 * outputs, inputs, kernel + 1, kernel + 1]);
  const bias = graph.weight(weights.take('bias', [outputs])).unsqueeze(1);
  const biases = bias.concat([bias, bias, bias]).reshape([4 * outputs]);
  const even = x.pad([0, 0, height % 2, width % 2], 'constant');
  const padding = (kernel - 1) / 2;
  const four = convolve(even, { weight: kernels, bias: biases }, { stride: 2, padding });
  const whole = four.pixelShuffle(2);
  return height % 2 === 0 && width % 2 === 0 ? whole : whole.slice(2, 0, height).slice(3, 0, width);
}
