import { chain, counted } from '../../onnx/chain.ts';
import { mish } from '../../onnx/activation.ts';
import { convolve, depthwiseConv } from '../../onnx/convolution.ts';
import { layerNorm2d } from '../../onnx/normalization.ts';
import type { Value } from '../../onnx/value.ts';
import type { Weights } from '../../onnx/weights.ts';
import type { Architecture, Network } from '../architecture.ts';
import { UnknownNetworkError } from '../errors.ts';
import { hasAll } from '../state-dict-keys.ts';
import { dySample } from './dysample.ts';

/** How the picture is made of features: pixel shuffle, that of eight answers' mean, or DySample. */
type Upsampler = 'ps' | 'gps' | 'dys';

interface Head {
  readonly upsampler: Upsampler;
  readonly scale: number;
  readonly channels: number;
}

/** Behind the blocks: conv, Mish, conv, Mish, conv 1x1. */
const TAIL = 5;
/** Of the geometric ensemble. */
const VIEWS = 8;

/**
 * MoSR: gated convolutional blocks (MambaOut, arXiv:2405.07992) with one depthwise convolution each, and no image skip.
 * Reference: neosr's mosr_arch.py.
 */
export const mosr: Architecture = {
  name: 'MoSR',
  looksFor: 'MoSR: gblocks.0.weight + gblocks.1.norm + gblocks.1.fc1 + gblocks.1.conv',

  detect: hasAll('gblocks.0', 'gblocks.1.fc1'),

  read(weights) {
    const inputs = weights.dim('gblocks.0.weight', 1);
    const dim = weights.dim('gblocks.0.weight', 0);
    const last = weights.indices('gblocks').at(-1) ?? 0;
    const count = Math.max(last - TAIL, 0);
    const head = headOf(weights, inputs);
    const kernel = weights.dim('gblocks.1.conv.weight', 2);
    return {
      scale: head.scale,
      inputChannels: inputs,
      outputChannels: head.channels,
      parameters: {
        in_ch: inputs,
        out_ch: head.channels,
        upscale: head.scale,
        n_block: count,
        dim,
        upsampler: head.upsampler,
        kernel_size: kernel,
        expansion_ratio: weights.dim('gblocks.1.fc1.weight', 0) / weights.dim('gblocks.1.fc1.weight', 1) / 2,
        conv_ratio: weights.dim('gblocks.1.conv.weight', 0) / dim,
      },
      multipleOf: 1,
      halo: Math.min(EFFECTIVE_FIELD, count * (2 + (kernel >> 1)) + 4),
      ...(head.upsampler === 'dys' && { sides: 'fixed' as const }),
      workingBytesPerPixel: 4 * (LIVE_TENSORS * dim + 5 * head.channels * head.scale ** 2),
      build: (image) => build(image, weights, { count, head }),
    } satisfies Network;
  },
};

/** 24 blocks reach 124 pixels; what is further away than this is little beside what is near. */
const EFFECTIVE_FIELD = 32;

/** Feature maps that are alive at once. */
const LIVE_TENSORS = 20;

function build(image: Value, weights: Weights, { count, head }: { count: number; head: Head }): Value {
  const blocks = weights.at('gblocks');
  const gated = counted(count, (i) => blocks.at(i + 1));
  const x = chain(image.conv(blocks.at(0)), gated, gatedBlock);
  const widened = mish(x.conv(blocks.at(count + 1)));
  const deep = mish(widened.conv(blocks.at(count + 3))).conv(blocks.at(count + 5));
  return enlarged(deep.add(shortcut(image, weights.at('shortcut'))), weights.at('upsampler'), head);
}

function gatedBlock(x: Value, weights: Weights): Value {
  const spread = layerNorm2d(x, weights.at('norm'), 1e-6).conv(weights.at('fc1'));
  const hidden = spread.size(1) / 2;
  const seen = weights.dim('conv.weight', 0);
  const gate = mish(spread.slice(1, 0, hidden));
  const local = depthwiseConv(spread.slice(1, 2 * hidden - seen, 2 * hidden), weights.at('conv'));
  const mixed = seen < hidden ? spread.slice(1, hidden, 2 * hidden - seen).concat([local]) : local;
  return mish(gate.multiply(mixed).conv(weights.at('fc2'))).add(lowered(x));
}

function shortcut(image: Value, weights: Weights): Value {
  const block = weights.at('block');
  const local = mish(mish(image.conv(block.at(0))).conv(block.at(2)));
  return lowered(local.add(image.conv(weights.at('conv11'))));
}

/** By a half, as a Mish before adds more than it takes. */
function lowered(x: Value): Value {
  return x.subtract(x.graph.constant(0.5));
}

function enlarged(x: Value, weights: Weights, { upsampler, scale }: Head): Value {
  if (upsampler === 'dys') return dySample(x, weights, scale);
  if (upsampler === 'ps') return x.conv(weights.at(0)).pixelShuffle(scale);
  // The mean of eight convolutions is the convolution by the mean of their weights: computed once, when the session loads.
  const { graph } = x;
  const [outputs, inputs, kernel] = [0, 1, 2].map((axis) => weights.dim('in_to_k.weight', axis)) as [
    number,
    number,
    number,
  ];
  const each = outputs / VIEWS;
  const weight = graph.weight(weights.take('in_to_k.weight', [outputs, inputs, kernel, kernel]));
  const bias = graph.weight(weights.take('in_to_k.bias', [outputs]));
  const mean = weight.reshape([VIEWS, each, inputs, kernel, kernel]).mean(0).reshape([each, inputs, kernel, kernel]);
  return convolve(x, { weight: mean, bias: bias.reshape([VIEWS, each]).mean(0).reshape([each]) }).pixelShuffle(scale);
}

function headOf(weights: Weights, inputs: number): Head {
  const root = (key: string, copies: number): number => squareRoot(key, weights.dim(key, 0) / copies);
  if (weights.has('upsampler.init_pos') || weights.has('upsampler.offset')) {
    const scale = root('upsampler.offset.weight', 8);
    return { upsampler: 'dys', scale, channels: weights.dim('upsampler.end_conv.weight', 0) };
  }
  if (weights.has('upsampler.in_to_k')) {
    return { upsampler: 'gps', scale: root('upsampler.in_to_k.weight', VIEWS * inputs), channels: inputs };
  }
  return { upsampler: 'ps', scale: root('upsampler.0.weight', inputs), channels: inputs };
}

function squareRoot(key: string, square: number): number {
  const root = Math.sqrt(square);
  if (Number.isInteger(root) && root > 0) return root;
  throw new UnknownNetworkError(
    `${key}, gblocks.0.weight: MoSR enlarges by a whole factor, not by the root of ${square}`,
  );
}
