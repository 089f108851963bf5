import { chain } from '../../onnx/chain.ts';
import { argMax } from '../../onnx/lookup.ts';
import { normedConv } from '../../onnx/normalization.ts';
import type { Value } from '../../onnx/value.ts';
import type { Weights } from '../../onnx/weights.ts';
import type { Architecture, NamedValues, Network } from '../architecture.ts';
import { hasAll, isBatchNormCounter } from '../state-dict-keys.ts';

/**
 * ParseNet of PSFRGAN (arXiv:2009.08709): says of every pixel of an aligned face which of 19 parts it belongs to. Takes RGB in
 * -1..1; answers `out_mask` (19 logits), `out_img` (its picture of the face, which nobody uses) and `label` (uint8, the most
 * likely part). Reference: facexlib/parsing/parsenet.py.
 */
export const parseNet: Architecture = {
  name: 'ParseNet',
  looksFor: 'ParseNet: encoder.0.conv2d + out_mask_conv.conv2d',

  detect: hasAll('encoder.0.conv2d', 'out_mask_conv.conv2d'),

  ignores: isBatchNormCounter,

  read(weights) {
    const labels = weights.dim('out_mask_conv.conv2d.weight', 0);
    const base = weights.dim('encoder.0.conv2d.weight', 0);
    const downs = weights.indices('encoder').length - 1;
    const ups = weights.indices('decoder').length;
    return {
      scale: 1,
      inputChannels: weights.dim('encoder.0.conv2d.weight', 1),
      outputChannels: labels,
      parameters: {
        in_size: MIN_SIDE * 2 ** downs,
        out_size: MIN_SIDE * 2 ** ups,
        min_feat_size: MIN_SIDE,
        base_ch: base,
        parsing_ch: labels,
        res_depth: weights.indices('body').length,
        ch_range: [32, weights.dim(`encoder.${downs}.conv2.conv2d.weight`, 0)],
      },
      role: 'face-parser',
      multipleOf: 1,
      halo: 0,
      workingBytesPerPixel: 4700,
      build: (image) => build(image, weights),
    } satisfies Network;
  },
};

/** The side of the innermost feature map, which the keys do not tell: the constructor's default. */
const MIN_SIDE = 32;

function build(image: Value, weights: Weights): NamedValues {
  const stem = reflectConv(image, weights.at('encoder.0.conv2d'));
  const downs = weights.list('encoder').slice(1);
  const features = downs.reduce((x, block) => residualBlock(x, block, 'down'), stem);
  const body = chain(features, weights.list('body'), (x, block) => residualBlock(x, block, 'none'));
  const decoded = weights.list('decoder').reduce((x, block) => residualBlock(x, block, 'up'), features.add(body));
  const logits = reflectConv(decoded, weights.at('out_mask_conv.conv2d'));
  const picture = reflectConv(decoded, weights.at('out_img_conv.conv2d'));
  return { out_mask: logits, out_img: picture, label: labelsOf(logits) };
}

/** The index of the largest of [N, labels, H, W] as uint8 [N, H, W], without the first axis where there is one image. */
function labelsOf(logits: Value): Value {
  const labels = argMax(logits, 1).cast('uint8');
  return labels.size(0) === 1 ? labels.squeeze(0) : labels;
}

/** Two convolutions around which the input goes too; sizes change before the first (up) or with the second (down). */
function residualBlock(x: Value, weights: Weights, change: 'down' | 'up' | 'none'): Value {
  const stride = change === 'down' ? 2 : 1;
  const source = change === 'up' ? x.resizeNearest(2) : x;
  const padded = source.pad([1, 1, 1, 1], 'reflect');
  const hasShortcut = weights.has('shortcut_func');
  const kept = hasShortcut ? padded.conv(weights.at('shortcut_func.conv2d'), { stride, padding: 0 }) : x;
  const middle = normed(padded, weights.at('conv1'), 1).leakyRelu(0.2);
  return kept.add(normed(middle.pad([1, 1, 1, 1], 'reflect'), weights.at('conv2'), stride));
}

function normed(padded: Value, weights: Weights, stride: number): Value {
  return normedConv(padded, weights.at('conv2d'), weights.at('norm.norm'), { stride, padding: 0 });
}

function reflectConv(x: Value, weights: Weights): Value {
  return x.pad([1, 1, 1, 1], 'reflect').conv(weights, { padding: 0 });
}
