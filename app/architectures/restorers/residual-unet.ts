import type { ConvOptions } from '../../onnx/convolution.ts';
import { convTranspose } from '../../onnx/convolution.ts';
import type { Value } from '../../onnx/value.ts';
import type { Weights } from '../../onnx/weights.ts';

/** Whether the convolutions of a network have biases. */
export type Bias = Pick<ConvOptions, 'bias'>;

/** Three halvings: sides must be a multiple of this. */
export const UNET_MULTIPLE = 8;

/**
 * The convolutions reach hundreds of pixels; what is further away than this is little beside what is near.
 */
export const UNET_FIELD = 64;

/** What the blocks of one level add to their input: two convolutions with a ReLU between. */
export function residualBranch(x: Value, weights: Weights, bias: Bias): Value {
  const branch = weights.at('res');
  return x.conv(branch.at(0), bias).relu().conv(branch.at(2), bias);
}

/** `blocks` residual blocks, `key.0`, `key.1`, ... */
export function residualBlocks(x: Value, weights: readonly Weights[], bias: Bias): Value {
  return weights.reduce((y, block) => residualBranch(y, block, bias).add(y), x);
}

/** A level of the encoder: residual blocks, then a convolution that halves both sides. */
export function encoderLevel(x: Value, weights: Weights, key: string, bias: Bias): Value {
  const blocks = weights.list(key).filter((part) => part.has('res'));
  const halving = weights.at(key).at(blocks.length);
  return residualBlocks(x, blocks, bias).conv(halving, { stride: 2, padding: 0, ...bias });
}

/** A level of the decoder, `key`: what doubles both sides, then `block` for each of the others. */
export function decoderLevel(
  x: Value,
  { weights, key, bias }: { readonly weights: Weights; readonly key: string; readonly bias: Bias },
  block: (x: Value, weights: Weights) => Value,
): Value {
  const parts = weights.at(key);
  const doubled = convTranspose(x, parts.at(0), { stride: 2, ...bias });
  const last = weights.indices(key).at(-1) ?? 0;
  return Array.from({ length: last }, (_, index) => parts.at(index + 1)).reduce(block, doubled);
}

/** Features at each level (`nc` of the references' constructors). */
export function unetWidths(weights: Weights, body: string): number[] {
  const names = ['m_head', 'm_down2.0.res.0', 'm_down3.0.res.0', `${body}.0.res.0`];
  return names.map((name) => weights.dim(`${name}.weight`, 0));
}
