import { chain } from '../../onnx/chain.ts';
import { tanh } from '../../onnx/activation.ts';
import { depthwiseConv } from '../../onnx/convolution.ts';
import { normedConv } from '../../onnx/normalization.ts';
import type { Value } from '../../onnx/value.ts';
import type { Weights } from '../../onnx/weights.ts';
import type { Architecture, Network } from '../architecture.ts';
import { hasAll, isBatchNormCounter } from '../state-dict-keys.ts';

/**
 * Swift-SRGAN (arXiv:2111.14320): SRGAN's generator of separable convolutions (depthwise, then 1x1).
 * Reference: Koushik0901/Swift-SRGAN, models.py.
 */
export const swiftSrgan: Architecture = {
  name: 'SwiftSRGAN',
  looksFor: 'Swift-SRGAN: initial.cnn.depthwise.weight + final_conv.pointwise.weight',

  detect: hasAll('initial.cnn', 'final_conv'),
  // Counters, and activations that the reference makes and does not use.
  ignores: (name) => isBatchNormCounter(name) || /(^|\.)(block2|convblock)\.act\.weight$/.test(name),

  read(weights) {
    const channels = weights.dim('initial.cnn.depthwise.weight', 0);
    const features = weights.dim('initial.cnn.pointwise.weight', 0);
    const blocks = weights.list('residual').length;
    const scale = 2 ** weights.list('upsampler').length;
    return {
      scale,
      inputChannels: channels,
      outputChannels: weights.dim('final_conv.pointwise.weight', 0),
      parameters: { in_channels: channels, num_channels: features, num_blocks: blocks, upscale_factor: scale },
      multipleOf: 1,
      halo: 2 * blocks + 12, // every convolution: two 9x9, 3x3 in the blocks, and some at larger sizes, so tiles are exact
      workingBytesPerPixel: 4 * LIVE_TENSORS * features * scale ** 2,
      build: (image) => build(image, weights),
    } satisfies Network;
  },
};

/** Feature maps that are alive at once, at the size of the result. */
const LIVE_TENSORS = 4.5;

function build(image: Value, weights: Weights): Value {
  const initial = separable(image, weights.at('initial.cnn')).prelu(weights.at('initial.act'));
  const residual = chain(initial, weights.list('residual'), block);
  const deep = normedSeparable(residual, weights.at('convblock')).add(initial);
  const enlarged = chain(deep, weights.list('upsampler'), enlarge);
  const picture = tanh(separable(enlarged, weights.at('final_conv')));
  return picture.add(picture.graph.constant(1)).scale(0.5);
}

function block(x: Value, weights: Weights): Value {
  const first = normedSeparable(x, weights.at('block1')).prelu(weights.at('block1.act'));
  return normedSeparable(first, weights.at('block2')).add(x);
}

function enlarge(x: Value, weights: Weights): Value {
  return separable(x, weights.at('conv')).pixelShuffle(2).prelu(weights.at('act'));
}

function separable(x: Value, weights: Weights): Value {
  return depthwiseConv(x, weights.at('depthwise')).conv(weights.at('pointwise'));
}

function normedSeparable(x: Value, weights: Weights): Value {
  const local = depthwiseConv(x, weights.at('cnn.depthwise'), { bias: false });
  return normedConv(local, weights.at('cnn.pointwise'), weights.at('bn'));
}
