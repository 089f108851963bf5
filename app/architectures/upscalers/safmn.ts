import { chain } from '../../onnx/chain.ts';
import { depthwiseConv } from '../../onnx/convolution.ts';
import { layerNorm2d } from '../../onnx/normalization.ts';
import { maxPool } from '../../onnx/pooling.ts';
import type { Value } from '../../onnx/value.ts';
import type { Weights } from '../../onnx/weights.ts';
import type { Architecture, Network } from '../architecture.ts';
import { hasAll } from '../state-dict-keys.ts';
import { pixelShuffleHead } from './pixel-shuffles.ts';

/** Sizes at which a block looks at its features: whole, halved, ... */
const LEVELS = 4;
const COLORS = 3;

/**
 * SAFMN (arXiv:2302.13800): every block weighs its features by what it sees of them at four sizes.
 * Reference: sunny2109/SAFMN, safmn_arch.py.
 */
export const safmn: Architecture = {
  name: 'SAFMN',
  looksFor: 'SAFMN: to_feat.weight + feats.0.safm.mfr.0 + to_img.0',

  detect: hasAll('to_feat', 'feats.0.safm'),

  read(weights) {
    const dim = weights.dim('to_feat.weight', 0);
    const { factor } = pixelShuffleHead(weights, 'to_img.0.weight', COLORS);
    const blocks = weights.list('feats').length;
    return {
      scale: factor,
      inputChannels: COLORS,
      outputChannels: COLORS,
      parameters: {
        n_blocks: blocks,
        ffn_scale: weights.dim('feats.0.ccm.ccm.0.weight', 0) / dim,
        upscaling_factor: factor,
        dim,
      },
      multipleOf: 2 ** (LEVELS - 1),
      halo: EFFECTIVE_FIELD,
      workingBytesPerPixel: 4 * (LIVE_TENSORS * dim + 5 * COLORS * factor ** 2),
      build: (image) => build(image, weights, factor),
    } satisfies Network;
  },
};

/** A block reaches 16 pixels at its smallest size; what is further away than this is little beside what is near. */
const EFFECTIVE_FIELD = 32;

/** Feature maps that are alive at once. */
const LIVE_TENSORS = 12;
const EPSILON = 1e-6;

function build(image: Value, weights: Weights, scale: number): Value {
  const shallow = image.conv(weights.at('to_feat'));
  const deep = chain(shallow, weights.list('feats'), block).add(shallow);
  return deep.conv(weights.at('to_img').at(0)).pixelShuffle(scale);
}

function block(x: Value, weights: Weights): Value {
  const y = modulated(layerNorm2d(x, weights.at('norm1'), EPSILON), weights.at('safm')).add(x);
  const mixer = weights.at('ccm.ccm');
  return layerNorm2d(y, weights.at('norm2'), EPSILON).conv(mixer.at(0)).gelu().conv(mixer.at(2)).add(y);
}

/** Spatially adaptive feature modulation: each quarter of the channels at a size of its own. */
function modulated(x: Value, weights: Weights): Value {
  const width = x.size(1) / LEVELS;
  const seen = Array.from({ length: LEVELS }, (_, level) => {
    const part = x.slice(1, level * width, (level + 1) * width);
    const factor = 2 ** level;
    const small = level === 0 ? part : maxPool(part, { kernel: [factor, factor], stride: factor });
    return depthwiseConv(small, weights.at('mfr').at(level)).resizeNearest(factor);
  });
  const [first, ...others] = seen;
  return first ? first.concat(others).conv(weights.at('aggr')).gelu().multiply(x) : x;
}
