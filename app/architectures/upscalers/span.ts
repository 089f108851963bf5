import { chain } from '../../onnx/chain.ts';
import { conv1x1, conv3x3, convolve } from '../../onnx/convolution.ts';
import type { Value } from '../../onnx/value.ts';
import type { Weights } from '../../onnx/weights.ts';
import type { Architecture, Network } from '../architecture.ts';
import { UnknownNetworkError } from '../errors.ts';
import { hasAll } from '../state-dict-keys.ts';
import { pixelShuffleHead } from './pixel-shuffles.ts';

const BLOCKS = [1, 2, 3, 4, 5, 6] as const;
/** Of DIV2K; not in the file. */
const MEAN = [0.4488, 0.4371, 0.404] as const;
const RANGE = 255;

/**
 * SPAN (arXiv:2311.12770): six blocks whose own features say by a sigmoid how much of them passes; every convolution was trained as
 * four, which are made one here. Reference: spandrel's SPAN/__arch/span.py.
 */
export const span: Architecture = {
  name: 'SPAN',
  looksFor: 'SPAN: conv_1.sk + block_1.c1_r.sk + conv_cat + upsampler.0',

  detect: hasAll('conv_1.sk', 'block_1.c1_r.sk', 'conv_cat', 'upsampler.0'),

  // The four made one as it was when the file was saved, which need not be what they are; and the mark of no norm.
  ignores: (name) => name.includes('.eval_conv.') || name === 'no_norm',

  read(weights) {
    const [features, inputs] = [weights.dim('conv_1.sk.weight', 0), weights.dim('conv_1.sk.weight', 1)];
    const { channels, factor } = pixelShuffleHead(weights, 'upsampler.0.weight', inputs);
    const norm = !weights.has('no_norm');
    if (norm && inputs !== MEAN.length) {
      throw new UnknownNetworkError(
        `conv_1.sk.weight: takes pictures of ${inputs} channel${inputs === 1 ? '' : 's'}, and the mean that is taken off them has ${MEAN.length}`,
      );
    }
    return {
      scale: factor,
      inputChannels: inputs,
      outputChannels: channels,
      parameters: {
        num_in_ch: inputs,
        num_out_ch: channels,
        feature_channels: features,
        upscale: factor,
        norm,
        img_range: RANGE,
      },
      multipleOf: 1,
      halo: 3 * BLOCKS.length + 3, // one pixel for every 3x3 convolution: the whole receptive field, so tiles are exact
      workingBytesPerPixel: 4 * (12 * features + 5 * channels * factor ** 2),
      build: (image) => build(norm ? normalised(image) : image, weights, factor),
    } satisfies Network;
  },
};

function normalised(image: Value): Value {
  return image.subtract(image.graph.constant(MEAN, [1, 3, 1, 1])).scale(RANGE);
}

function build(image: Value, weights: Weights, factor: number): Value {
  const features = weights.dim('conv_1.sk.weight', 0);
  const first = mergedConv(image, weights.at('conv_1'), features);
  const made: (readonly [output: Value, first: Value])[] = [];
  const deep = chain(first, BLOCKS, (x, number) => {
    const block = attentionBlock(x, weights.at(`block_${number}`));
    made.push(block);
    return block[0];
  });
  const last = mergedConv(deep, weights.at('conv_2'), features);
  const [[early] = [first], [, entered] = [first, first]] = [made.at(0), made.at(-1)];
  const joined = conv1x1(first.concat([last, early, entered]), weights.at('conv_cat'), features);
  return conv3x3(joined, weights.at('upsampler').at(0)).pixelShuffle(factor);
}

/** What it makes of `x`, and its first features after their activation (which the reference does in place). */
function attentionBlock(x: Value, weights: Weights): [output: Value, first: Value] {
  const conv = (input: Value, name: string): Value => mergedConv(input, weights.at(name), x.size(1));
  const first = swish(conv(x, 'c1_r'));
  const third = conv(swish(conv(first, 'c2_r')), 'c3_r');
  const attention = third.sigmoid().subtract(x.graph.constant(0.5));
  return [third.add(x).multiply(attention), first];
}

function swish(x: Value): Value {
  return x.multiply(x.sigmoid());
}

/**
 * 1x1, 3x3, 1x1 and a 1x1 beside them (`Conv3XC`) as one 3x3 convolution to `outputs` channels. All constants: computed once, when
 * the session loads.
 */
function mergedConv(x: Value, weights: Weights, outputs: number): Value {
  const { graph } = x;
  const inputs = x.size(1);
  const take = (name: string, ...shape: (number | null)[]): Value => graph.weight(weights.take(name, shape));
  const first = take('conv.0.weight', null, inputs, 1, 1);
  const middle = take('conv.1.weight', null, first.size(0), 3, 3);
  const [wideIn, wideOut] = [middle.size(1), middle.size(0)];
  const last = take('conv.2.weight', outputs, wideOut, 1, 1).reshape([outputs, wideOut]);

  const left = last.matmul(middle.reshape([wideOut, wideIn * 9])).reshape([outputs, wideIn, 3, 3]);
  const merged = left
    .transpose([0, 2, 3, 1])
    .matmul(first.reshape([wideIn, inputs]))
    .transpose([0, 3, 1, 2]);
  const beside = take('sk.weight', outputs, inputs, 1, 1).pad([1, 1, 1, 1], 'constant');

  const column = (name: string, size: number): Value => take(name, size).unsqueeze(1);
  const sums = middle.sum(2, 3).reshape([wideOut, wideIn]);
  const inner = sums.matmul(column('conv.0.bias', wideIn)).add(column('conv.1.bias', wideOut));
  const bias = last.matmul(inner).add(column('conv.2.bias', outputs)).add(column('sk.bias', outputs));
  return convolve(x, { weight: merged.add(beside), bias: bias.squeeze(1) });
}
