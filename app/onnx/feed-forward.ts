import { depthwiseConv } from './convolution.ts';
import type { Value } from './value.ts';
import type { Weights } from './weights.ts';

/**
 * Restormer's gated feed-forward network (GDFN, arXiv:2111.09881): a 1x1 convolution, a depthwise 3x3, the GELU of the first half
 * times the second, a 1x1 convolution back (`project_in`, `dwconv`, `project_out`).
 * @param bias `bias: false` where the three have none
 */
export function gatedFeedForward(x: Value, weights: Weights, bias: { readonly bias?: false }): Value {
  const spread = depthwiseConv(x.conv(weights.at('project_in'), bias), weights.at('dwconv'), bias);
  const half = spread.size(1) / 2;
  const gated = spread
    .slice(1, 0, half)
    .gelu()
    .multiply(spread.slice(1, half, 2 * half));
  return gated.conv(weights.at('project_out'), bias);
}
