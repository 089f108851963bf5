import { chain } from '../../onnx/chain.ts';
import { depthwiseConv } from '../../onnx/convolution.ts';
import { linear } from '../../onnx/linear.ts';
import { fromWindows, joinHeads, rolled, splitHeads, toWindows } from '../../onnx/windows/local-windows.ts';
import { batchNorm, layerNorm2d } from '../../onnx/normalization.ts';
import type { Value } from '../../onnx/value.ts';
import type { Weights } from '../../onnx/weights.ts';
import type { Architecture, Network } from '../architecture.ts';
import { cropTo, padMirrored } from '../padding.ts';
import { hasAll, isBatchNormCounter } from '../state-dict-keys.ts';
import { pixelShuffleHead } from './pixel-shuffles.ts';

/** None of these is in the file. */
const HEADS = 5;
const WINDOW = 16;
const GROUPS = 6;
const SLOPE = 0.05;

/**
 * DCTLSA: groups of windowed linear attention beside convolutions, each of which sees what all before it made.
 * Reference: zengkun301/DCTLSA, dctlsa.py.
 */
export const dctlsa: Architecture = {
  name: 'DCTLSA',
  looksFor: 'DCTLSA: fea_conv.weight + B1.body.0.transformer_body + c.0 + LR_conv + upsampler.0',

  detect: hasAll('fea_conv', 'B1.body.0.transformer_body'),
  ignores: isBatchNormCounter,

  read(weights) {
    const [features, inputs] = [weights.dim('fea_conv.weight', 0), weights.dim('fea_conv.weight', 1)];
    const { channels, factor } = pixelShuffleHead(weights, 'upsampler.0.weight', inputs);
    return {
      scale: factor,
      inputChannels: inputs,
      outputChannels: channels,
      parameters: {
        in_nc: inputs,
        nf: features,
        num_modules: weights.dim('c.0.weight', 1) / features,
        out_nc: channels,
        upscale: factor,
        num_head: HEADS,
      },
      multipleOf: WINDOW,
      padding: 'own',
      sides: 'fixed',
      halo: HALO_WINDOWS * WINDOW,
      tiling: 'whole-image-preferred',
      workingBytesPerPixel: 4 * (LIVE_TENSORS * features + 5 * channels * factor ** 2),
      build: (image) => build(image, weights, factor),
    } satisfies Network;
  },
};

/**
 * Windows around a tile. The windows that are rolled have no mask, so the edges of the picture see the opposite ones, which a tile has not
 * whatever it sees; within the picture tiles were apart by 3 levels of 255 with two windows.
 */
const HALO_WINDOWS = 3;

/** Feature maps at full size that a run takes memory for, as measured on 128 x 128 and 256 x 256 pixels. */
const LIVE_TENSORS = 53;

function build(image: Value, weights: Weights, scale: number): Value {
  const shallow = image.conv(weights.at('fea_conv'));
  const made: Value[] = [];
  let x = shallow;
  for (let index = 1; index <= GROUPS; index++) {
    made.push(
      chain(x, [0, 1], (y, i) => layer(y, weights.at(`B${index}`).at('body').at(i).at('transformer_body').at(0))),
    );
    if (index < GROUPS)
      x = shallow
        .concat(made)
        .conv(weights.at(`c${index}`).at(0))
        .leakyRelu(SLOPE);
  }
  const [first = shallow, ...others] = made;
  const fused = first.concat(others).conv(weights.at('c').at(0)).leakyRelu(SLOPE);
  const features = fused.conv(weights.at('LR_conv')).add(shallow);
  return features.conv(weights.at('upsampler').at(0)).pixelShuffle(scale);
}

/** Two blocks, the windows of the second shifted, on features padded to whole windows. */
function layer(x: Value, weights: Weights): Value {
  const [height, width] = [x.size(2), x.size(3)];
  const toWhole = (side: number): number => Math.ceil(side / WINDOW) * WINDOW;
  const padded = padMirrored(x, toWhole(height), toWhole(width));
  const normed = layerNorm2d(padded, weights.at('patch_embed.norm'), 1e-5).transpose([0, 2, 3, 1]);
  const y = weights.list('blocks').reduce((z, block, index) => {
    const shift = index % 2 === 0 ? 0 : WINDOW / 2;
    const attended = rolled(attention(rolled(z, shift), block.at('attn')), -shift);
    const mlp = block.at('mlp');
    return attended.add(linear(linear(attended, mlp.at('fc1')).gelu(), mlp.at('fc2')));
  }, normed);
  return cropTo(y.transpose([0, 3, 1, 2]), height, width);
}

/** NHWC: local features, and of those linear attention within windows (the softmax is over the tokens of the keys). */
function attention(x: Value, weights: Weights): Value {
  const near = local(x.transpose([0, 3, 1, 2]), weights.at('local'))
    .transpose([0, 2, 3, 1])
    .add(x);
  const [query, key, value] = splitHeads(toWindows(linear(near, weights.at('qkv')), WINDOW), HEADS);
  const context = key.softmax(2).transpose([0, 1, 3, 2]).matmul(value);
  const seen = query.scale(query.size(3) ** -0.5).matmul(context);
  return fromWindows(linear(joinHeads(seen), weights.at('proj')), x, WINDOW).add(near);
}

function local(x: Value, weights: Weights): Value {
  const bias = { bias: false } as const;
  const first = batchNorm(x, weights.at('pointwise_prenorm_0')).conv(weights.at('pointwise_conv_0'), bias);
  const spread = depthwiseConv(first, weights.at('depthwise_conv'), bias);
  return batchNorm(spread, weights.at('pointwise_prenorm_1')).conv(weights.at('pointwise_conv_1'), bias);
}
