import { chain } from '../../onnx/chain.ts';
import { channelAttention } from '../../onnx/channel-attention.ts';
import type { Value } from '../../onnx/value.ts';
import type { Weights } from '../../onnx/weights.ts';
import type { Architecture, Network } from '../architecture.ts';
import { UnknownNetworkError } from '../errors.ts';
import { hasAll } from '../state-dict-keys.ts';
import { sequenceScale, upsampleSequence } from './pixel-shuffles.ts';

/** Of files that carry the mean of DIV2K; others work on 0..1. */
const RANGE = 255;

/**
 * RCAN (arXiv:1807.02758): residual groups of residual blocks with channel attention. traiNNer's variant folds pixels first.
 * Reference: yulunzhang/RCAN, spandrel's RCAN/__arch.
 */
export const rcan: Architecture = {
  name: 'RCAN',
  looksFor: 'RCAN: body.0.body.0.body.3.conv_du.0.weight + tail.0 + tail.1.weight',

  detect: hasAll('body.0.body.0.body.3.conv_du', 'tail.1'),

  read(weights) {
    const colors = weights.dim('tail.1.weight', 0);
    const head = weights.has('head.1') ? 'head.1' : 'head.0';
    const features = weights.dim(`${head}.weight`, 0);
    const unshuffle = Math.sqrt(weights.dim(`${head}.weight`, 1) / colors);
    const scale = sequenceScale(weights, 'tail.0') / unshuffle;
    if (!Number.isInteger(unshuffle) || !Number.isInteger(scale)) {
      throw new UnknownNetworkError(
        `an RCAN that folds pixels by ${unshuffle} cannot enlarge by ${scale} (${head}.weight, tail.1.weight)`,
      );
    }
    return {
      scale,
      inputChannels: colors,
      outputChannels: colors,
      parameters: {
        scale,
        n_resgroups: weights.indices('body').length - 1,
        n_resblocks: weights.indices('body.0.body').length - 1,
        n_feats: features,
        n_colors: colors,
        rgb_range: RANGE,
        norm: weights.has('sub_mean'),
        kernel_size: weights.dim(`${head}.weight`, 2),
        reduction: Math.floor(features / weights.dim('body.0.body.0.body.3.conv_du.0.weight', 0)),
        unshuffle_mod: head === 'head.1',
      },
      multipleOf: unshuffle,
      halo: EFFECTIVE_FIELD * unshuffle,
      tiling: 'whole-image-preferred',
      workingBytesPerPixel: 4 * features * (LIVE_TENSORS / unshuffle ** 2 + 4 * scale ** 2),
      build: (image) => build(image, weights, { head, unshuffle }),
    } satisfies Network;
  },
};

/** Hundreds of convolutions reach as many pixels; what is further away than this is little beside what is near. */
const EFFECTIVE_FIELD = 32;

/** Feature maps at the input's size that are alive at once. */
const LIVE_TENSORS = 6;

function build(image: Value, weights: Weights, { head, unshuffle }: { head: string; unshuffle: number }): Value {
  const isNormed = weights.has('sub_mean');
  const shifted = isNormed ? image.scale(RANGE).conv(weights.at('sub_mean')) : image;
  const shallow = shifted.pixelUnshuffle(unshuffle).conv(weights.at(head));
  const deep = residual(shallow, weights.list('body'), group);
  const enlarged = upsampleSequence(deep, weights, 'tail.0').conv(weights.at('tail.1'));
  return isNormed ? enlarged.conv(weights.at('add_mean')).scale(1 / RANGE) : enlarged;
}

/** A group of blocks. */
function group(x: Value, weights: Weights): Value {
  return residual(x, weights.list('body'), block);
}

function block(x: Value, weights: Weights): Value {
  const body = weights.at('body');
  const y = x.conv(body.at(0)).relu().conv(body.at(2));
  const attention = body.at(3).at('conv_du');
  return channelAttention(y, attention.at(0), attention.at(2)).add(x);
}

/** All but the last part by `step`, the last a convolution, and the input added. */
function residual(x: Value, parts: readonly Weights[], step: (x: Value, weights: Weights) => Value): Value {
  const last = parts.at(-1);
  const deep = chain(x, parts.slice(0, -1), step);
  return last ? deep.conv(last).add(x) : x;
}
