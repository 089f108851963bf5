import { chain } from '../../onnx/chain.ts';
import type { Halves } from '../../onnx/kernels/folded-convolution.ts';
import { depthwiseConvHalves, scaledConv } from '../../onnx/kernels/folded-convolution.ts';
import { normedConvHalves } from '../../onnx/kernels/normed-conv-halves.ts';
import { shuffledConv } from '../../onnx/kernels/shuffled-convolution.ts';
import { averagePool, globalAveragePool, spreadOver } from '../../onnx/pooling.ts';
import type { Value } from '../../onnx/value.ts';
import type { Weights } from '../../onnx/weights.ts';
import type { Architecture, Network } from '../architecture.ts';
import { hasAll } from '../state-dict-keys.ts';

/** Gives the channels' weights from a block's feature map; `level` counts the halvings of the picture at the block. */
type ChannelPooling = (x: Value, level: number) => Value;

/** What the checkpoint alone does not decide. */
export interface NafnetOptions {
  /**
   * Channels are weighed by the mean over a window of `localBaseSize` input pixels around each pixel instead of over the whole
   * picture (TLC, arXiv:2112.04491; the official GoPro tests take 384). Sizes of the picture must be known while building.
   */
  readonly localBaseSize?: number;
}

/**
 * NAFNet, a U-Net whose only non-linearity is the product of two halves of the channels: denoising (SIDD) and deblurring
 * (GoPro) at scale 1 (arXiv:2204.04676). Reference: basicsr/models/archs/NAFNet_arch.py.
 */
export const nafnet: Architecture = {
  name: 'NAFNet',
  looksFor: 'NAFNet: intro.weight + downs.0.weight + ups.0.0.weight + ending.weight',

  detect: hasAll('intro', 'downs.0', 'ending'),

  read: (weights) => readNafnet(weights),
};

/** Reads a NAFNet whose use is not the plain one. */
export function readNafnet(weights: Weights, options: NafnetOptions = {}): Network {
  const levels = weights.indices('downs').length;
  const channels = weights.dim('intro.weight', 1);
  const width = weights.dim('intro.weight', 0);
  const blocks = (stem: string) =>
    Array.from({ length: levels }, (_, level) => weights.list(`${stem}.${level}`).length);
  const { localBaseSize } = options;
  const pooling: ChannelPooling =
    localBaseSize === undefined ? globalAveragePool : (x, level) => localAveragePool(x, localBaseSize >> level);
  return {
    scale: 1,
    inputChannels: channels,
    outputChannels: channels,
    parameters: {
      img_channel: channels,
      width,
      middle_blk_num: weights.list('middle_blks').length,
      enc_blk_nums: blocks('encoders'),
      dec_blk_nums: blocks('decoders'),
    },
    multipleOf: 2 ** levels,
    padding: 'zeros',
    halo: EFFECTIVE_FIELD,
    tiling: 'whole-image-preferred',
    workingBytesPerPixel: LIVE_TENSORS.gpu * 4 * width,
    workingBytesPerPixelOnCpu: LIVE_TENSORS.cpu * 4 * width,
    build: (image) => build(image, weights, levels, pooling),
  };
}

/**
 * Convolutions at the lowest level reach hundreds of pixels, the middle blocks most of all; what is further away than this is
 * little beside what the mean over a tile instead of over the picture changes.
 */
const EFFECTIVE_FIELD = 64;

/**
 * Feature maps at full size that a run takes memory for, by the form of the graph: 3.0 and 2.0 KB a pixel at a width of 64, as measured from 0.27
 * to 0.87 megapixels.
 */
const LIVE_TENSORS = { gpu: 12, cpu: 8 } as const;

/** Inside the root of every LayerNorm. */
const EPSILON = 1e-6;

function build(image: Value, weights: Weights, levels: number, pooling: ChannelPooling): Value {
  const stage = (x: Value, name: string, level: number): Value =>
    chain(x, weights.list(name), (y, block) => nafBlock(y, block, (z) => pooling(z, level)));

  let x = image.conv(weights.at('intro'));
  const skips: Value[] = [];
  for (let level = 0; level < levels; level++) {
    x = stage(x, `encoders.${level}`, level);
    skips.push(x);
    x = x.conv(weights.at('downs').at(level), { stride: 2, padding: 0 });
  }
  x = stage(x, 'middle_blks', levels);
  skips.reverse().forEach((skip, index) => {
    const enlarged = shuffledConv(x, weights.at('ups').at(index).at(0), skip);
    x = stage(enlarged, `decoders.${index}`, levels - 1 - index);
  });
  return x.conv(weights.at('ending')).add(image);
}

/** Two residual steps: one over space (depthwise convolution, channel attention), one over channels. */
function nafBlock(x: Value, weights: Weights, pooling: (x: Value) => Value): Value {
  const spread = normedConvHalves(x, weights.at('norm1'), weights.at('conv1'), EPSILON);
  const gated = simpleGate(depthwiseConvHalves(spread, weights.at('conv2')));
  const attention = pooling(gated).conv(weights.at('sca').at(1));
  const attended = gated.multiply(spreadOver(attention, gated));
  const y = x.add(scaledConv(attended, weights.at('conv3'), weights.take('beta', [1, x.size(1), 1, 1])));
  const mixed = simpleGate(normedConvHalves(y, weights.at('norm2'), weights.at('conv4'), EPSILON));
  return y.add(scaledConv(mixed, weights.at('conv5'), weights.take('gamma', [1, x.size(1), 1, 1])));
}

/** The first half of the channels times the second. */
function simpleGate([first, second]: Halves): Value {
  return first.multiply(second);
}

/**
 * The mean over `window` x `window` pixels around every pixel; at the borders that of the nearest whole window. Where the
 * window covers both sides it is the mean of all. Taken along one axis after the other, as the sums are separable.
 */
function localAveragePool(x: Value, window: number): Value {
  const [height, width] = [x.size(2), x.size(3)];
  if (window >= height && window >= width) return globalAveragePool(x);
  const [kernelH, kernelW] = [Math.min(window, height), Math.min(window, width)];
  const means = averagePool(averagePool(x, { kernel: [kernelH, 1] }), { kernel: [1, kernelW] });
  const [lostH, lostW] = [kernelH - 1, kernelW - 1];
  const [top, left] = [lostH >> 1, lostW >> 1];
  return means.pad([top, left, lostH - top, lostW - left], 'edge');
}
