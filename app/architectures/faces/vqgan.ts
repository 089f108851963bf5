import type { AttentionInputs } from '../../onnx/attention.ts';
import { attend } from '../../onnx/attention.ts';
import { groupNorm } from '../../onnx/normalization.ts';
import type { Value } from '../../onnx/value.ts';
import type { Weights } from '../../onnx/weights.ts';

/**
 * The parts of which CodeFormer and RestoreFormer are made, both from the VQGAN of "Taming Transformers" (arXiv:2012.09841).
 * References: basicsr/archs/vqgan_arch.py in CodeFormer, gfpgan/archs/restoreformer_arch.py.
 */
export function normalize(x: Value, weights: Weights): Value {
  return groupNorm(x, weights, { groups: 32, epsilon: 1e-6 });
}

/** SiLU: x sigmoid(x). */
export function swish(x: Value): Value {
  return x.multiply(x.sigmoid());
}

/** Two convolutions beside a shortcut, which has a 1x1 convolution of the name `shortcut` where channels change. */
export function residualBlock(x: Value, weights: Weights, shortcut: string): Value {
  const middle = swish(normalize(x, weights.at('norm1'))).conv(weights.at('conv1'));
  const deep = swish(normalize(middle, weights.at('norm2'))).conv(weights.at('conv2'));
  return deep.add(weights.has(shortcut) ? x.conv(weights.at(shortcut)) : x);
}

/** Halves the size; zeros come in at the right and the bottom only. */
export function downsample(x: Value, weights: Weights): Value {
  return x.conv(weights.at('conv'), { stride: 2, padding: [0, 0, 1, 1] });
}

/** Doubles the size: nearest pixels, then the 3x3 convolution `conv`. */
export function upsample(x: Value, weights: Weights): Value {
  return x.resizeNearest(2).conv(weights.at('conv'));
}

/**
 * Attention between pixels, added to `x`: queries from `asking`, keys and values from `answering`, all [N, C, H, W] and by 1x1
 * convolutions `q`, `k`, `v`; `proj_out` after it.
 */
export function pixelAttention(
  x: Value,
  { asking, answering, heads }: { readonly asking: Value; readonly answering: Value; readonly heads: number },
  weights: Weights,
): Value {
  const inputs: AttentionInputs = {
    query: tokensOf(asking.conv(weights.at('q'))),
    key: tokensOf(answering.conv(weights.at('k'))),
    value: tokensOf(answering.conv(weights.at('v'))),
  };
  const mixed = pixelsOf(attend(inputs, heads), x.size(2), x.size(3));
  return x.add(mixed.conv(weights.at('proj_out')));
}

/** [N, C, H, W] to [N, H W, C], row by row. */
export function tokensOf(x: Value): Value {
  return x.reshape([x.size(0), x.size(1), x.size(2) * x.size(3)]).transpose([0, 2, 1]);
}

/** [N, height width, C] to [N, C, height, width]. */
export function pixelsOf(tokens: Value, height: number, width: number): Value {
  return tokens.transpose([0, 2, 1]).reshape([tokens.size(0), tokens.size(2), height, width]);
}
