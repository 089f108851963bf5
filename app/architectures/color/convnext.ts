import { chain } from '../../onnx/chain.ts';
import { depthwiseConv } from '../../onnx/convolution.ts';
import { linear } from '../../onnx/linear.ts';
import { layerNorm, layerNorm2d } from '../../onnx/normalization.ts';
import type { Value } from '../../onnx/value.ts';
import type { Weights } from '../../onnx/weights.ts';

/** How large a ConvNeXt is: blocks and channels of its stages. */
export interface ConvNextSize {
  readonly depths: readonly number[];
  readonly dims: readonly number[];
}

const EPSILON = 1e-6;

/** The sizes that have names (arXiv:2201.03545). */
const NAMED: Readonly<Record<string, ConvNextSize>> = {
  t: { depths: [3, 3, 9, 3], dims: [96, 192, 384, 768] },
  s: { depths: [3, 3, 27, 3], dims: [96, 192, 384, 768] },
  b: { depths: [3, 3, 27, 3], dims: [128, 256, 512, 1024] },
  l: { depths: [3, 3, 27, 3], dims: [192, 384, 768, 1536] },
};

/** Reads depths and widths from `stages` and `downsample_layers`. */
export function readConvNext(weights: Weights): ConvNextSize {
  const stages = weights.list('stages');
  return {
    depths: stages.map((_, i) => weights.list(`stages.${i}`).length),
    dims: stages.map((_, i) => weights.dim(`stages.${i}.0.dwconv.weight`, 0)),
  };
}

/** `convnext-l` and its like; `convnext` where the size has no name. */
export function convNextName({ depths, dims }: ConvNextSize): string {
  const named = Object.entries(NAMED).find(
    ([, size]) => size.depths.join() === depths.join() && size.dims.join() === dims.join(),
  );
  return named ? `convnext-${named[0]}` : 'convnext';
}

/**
 * The stages of a ConvNeXt as feature maps, normalised by `norm0`, `norm1`, ... ([N, dims[i], H / 4 / 2^i, W / 4 / 2^i]); the
 * next stage takes what was not normalised. The sides of `image` must be known. Reference: ConvNeXt in DDColor's
 * ddcolor_arch_utils/convnext.py.
 */
export function convNextFeatures(image: Value, weights: Weights): Value[] {
  let x = image;
  return weights.list('stages').map((_, stage) => {
    x = downsample(x, weights.at('downsample_layers').at(stage), stage === 0);
    x = chain(x, weights.list(`stages.${stage}`), block);
    return layerNorm2d(x, weights.at(`norm${stage}`), EPSILON);
  });
}

/** The stem is a convolution and its norm, later ones a norm and its convolution; kernels do not overlap. */
function downsample(x: Value, weights: Weights, isStem: boolean): Value {
  if (isStem) return layerNorm2d(x.conv(weights.at(0), { stride: 4, padding: 0 }), weights.at(1), EPSILON);
  return layerNorm2d(x, weights.at(0), EPSILON).conv(weights.at(1), { stride: 2, padding: 0 });
}

function block(x: Value, weights: Weights): Value {
  const channels = x.size(1);
  const mixed = depthwiseConv(x, weights.at('dwconv')).transpose([0, 2, 3, 1]);
  const hidden = linear(layerNorm(mixed, weights.at('norm'), EPSILON), weights.at('pwconv1')).gelu();
  const gamma = x.graph.weight(weights.take('gamma', [channels]));
  return linear(hidden, weights.at('pwconv2')).multiply(gamma).transpose([0, 3, 1, 2]).add(x);
}
