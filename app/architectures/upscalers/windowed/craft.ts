import { chain } from '../../../onnx/chain.ts';
import { transposedAttention } from '../../../onnx/channel-attention.ts';
import { conv1x1, conv3x3, depthwiseConv } from '../../../onnx/convolution.ts';
import { gatedFeedForward } from '../../../onnx/feed-forward.ts';
import { linear } from '../../../onnx/linear.ts';
import { layerNorm, layerNorm2d } from '../../../onnx/normalization.ts';
import { maxPool } from '../../../onnx/pooling.ts';
import { toMap, toTokens } from '../../../onnx/tokens.ts';
import type { Value } from '../../../onnx/value.ts';
import { queryKeyValue } from '../../../onnx/windows/window-attention.ts';
import type { Weights } from '../../../onnx/weights.ts';
import type { Architecture, Network } from '../../architecture.ts';
import { UnknownNetworkError } from '../../errors.ts';
import { cropTo, padSymmetric } from '../../padding.ts';
import { hasAll } from '../../state-dict-keys.ts';
import type { Rectangles, Split } from './rectangle-attention.ts';
import { attendInRectangles, positionTable, rectangles, splitOfCounts } from './rectangle-attention.ts';
import type { SwinFrame } from './swin-frame.ts';
import { inSwinFrame, readSwinFrame, squareNetwork, frameParameters } from './swin-frame.ts';
import { LAYER_NORM_EPSILON, mlp, residualConv } from './transformer-parts.ts';

const FIRST_GROUP = 'layers.0.residual_group';
const NO_BIAS = { bias: false } as const;

/** What sides are filled up to; not in the file. */
const WINDOW = 16;

interface CraftFrame extends SwinFrame {
  readonly split: Split;
}

/** What blocks share. */
interface CraftShared {
  readonly hasBias: boolean;
  readonly rectangles: Rectangles;
  /** Relative positions [rows, 2] of the two kinds of windows. */
  readonly positions: readonly [Value, Value];
}

/**
 * CRAFT (arXiv:2308.05022): attention in windows that are long and flat, convolutions that bring out what is fine, and attention between the
 * channels of both. Reference: AVC2-UESTC/CRAFT-SR, basicsr/archs/craft_arch.py.
 */
export const craft: Architecture = {
  name: 'CRAFT',
  looksFor: `CRAFT: conv_first + ${FIRST_GROUP}.hf_blocks + ${FIRST_GROUP}.srwa_blocks`,

  detect: hasAll('conv_first', `${FIRST_GROUP}.hf_blocks.0`, `${FIRST_GROUP}.srwa_blocks.0`),

  // Made anew.
  ignores: (name) => /^relative_position_index_[hv]$/.test(name),

  read(weights) {
    const isIdentity = !weights.has('conv_after_body');
    const tokens = weights.dim('relative_position_index_h', 0);
    const split = splitOfCounts(tokens, weights.dim('biases_v', 0), 'CRAFT');
    const frame = { ...readSwinFrame(weights, 'CRAFT'), isIdentity, split };
    if (frame.head.upsampler !== 'pixelshuffledirect') {
      throw new UnknownNetworkError(`a CRAFT with the head '${frame.head.upsampler}'; none is known`);
    }
    return {
      ...squareNetwork(frame, { window: WINDOW, haloWindows: HALO_WINDOWS, bytesPerFeature: BYTES_PER_FEATURE }),
      parameters: parametersOf(weights, frame),
      padding: 'own',
      tiling: 'whole-image-preferred',
      build: (image) => build(image, weights, frame),
    } satisfies Network;
  },
};

/** Windows around a tile. Channels see one another over the whole picture, so tiles differ whatever they see. */
const HALO_WINDOWS = 2;

/** What a block takes at once for every feature of a pixel, most of it scores of attention, by estimate. */
const BYTES_PER_FEATURE = 120;

function parametersOf(weights: Weights, frame: CraftFrame): Network['parameters'] {
  const layers = weights.list('layers');
  return {
    ...frameParameters(weights, frame),
    window_size: WINDOW,
    depths: layers.map((layer) => layer.list('residual_group.hf_blocks').length),
    num_heads: layers.map((layer) => layer.dim('residual_group.hf_blocks.0.attn.temperature', 0)),
    split_size_0: frame.split[0],
    split_size_1: frame.split[1],
    mlp_ratio: weights.dim(`${FIRST_GROUP}.srwa_blocks.0.mlp.fc1.bias`, 0) / frame.features,
  };
}

function build(image: Value, weights: Weights, frame: CraftFrame): Value {
  const { upscale } = frame.head;
  const [height, width] = [image.size(2), image.size(3)];
  // A side that is a multiple already gets a window more, as the reference has it.
  const next = (side: number): number => (Math.floor(side / WINDOW) + 1) * WINDOW;
  const padded = padSymmetric(image, next(height), next(width));
  const whole = inSwinFrame(padded, weights, frame, (map) => transformer(map, weights, frame));
  return cropTo(whole, height * upscale, width * upscale);
}

/** The groups of blocks, and a norm: [N, C, H, W] to the like. */
function transformer(map: Value, weights: Weights, { split, hasBias }: CraftFrame): Value {
  const rows = split.reduce((product, side) => product * (2 * side - 1), 1);
  const biases = (name: string): Value => map.graph.weight(weights.take(name, [rows, 2]));
  const shared: CraftShared = {
    hasBias,
    rectangles: rectangles(map, split),
    positions: [biases('biases_h'), biases('biases_v')],
  };
  const deep = chain(map, weights.list('layers'), (x, layer) => {
    return residualConv(group(x, layer.at('residual_group'), shared), layer.at('conv')).add(x);
  });
  return layerNorm2d(deep, weights.at('norm.body'), LAYER_NORM_EPSILON);
}

/** Steps of two blocks of windows and, beside them, of convolutions on the same features; the one asks the other. */
function group(x: Value, weights: Weights, shared: CraftShared): Value {
  const blocks = weights.list('srwa_blocks');
  const enhancers = weights.list('hfer_blocks');
  return chain(x, weights.list('hf_blocks'), (y, fusion, step) => {
    const pair = [2 * step, 2 * step + 1].map((index) => blocks[index] ?? weights.at('srwa_blocks').at(index));
    const heads = fusion.dim('attn.temperature', 0);
    const low = pair.reduce((z, block, index) => windowBlock(z, block, shared, { heads, isShifted: index === 1 }), y);
    const high = enhanced(y, enhancers[step] ?? weights.at('hfer_blocks').at(step));
    return fused(low, high, fusion);
  });
}

/** Attention in windows, the shifted of which see across the edges of the picture; then an MLP: [N, C, H, W] to the like. */
function windowBlock(
  map: Value,
  weights: Weights,
  { rectangles: windows, positions, hasBias }: CraftShared,
  { heads, isShifted }: { readonly heads: number; readonly isShifted: boolean },
): Value {
  const x = toTokens(map);
  const normed = layerNorm(x, weights.at('norm1'), LAYER_NORM_EPSILON);
  const inputs = queryKeyValue(normed, weights.at('qkv'), { hasBias });
  const tables = positions.map((known, index) =>
    positionTable(known, weights.at('attns').at(index).at('pos'), heads / 2),
  );
  const attended = attendInRectangles(inputs, windows, { heads: heads / 2, isShifted, isUnmasked: true, tables });
  const convolved = toTokens(depthwiseConv(toMap(inputs.value, map), weights.at('get_v')));
  const y = linear(attended.add(convolved), weights.at('proj')).add(x);
  return toMap(mlp(layerNorm(y, weights.at('norm2'), LAYER_NORM_EPSILON), weights.at('mlp')).add(y), map);
}

/** Half of the channels by a convolution, half by what is largest around a pixel. */
function enhanced(x: Value, weights: Weights): Value {
  const half = x.size(1) / 2;
  const near = conv3x3(x.slice(1, 0, half), weights.at('conv'), half).gelu();
  const largest = maxPool(x.slice(1, half, 2 * half), { kernel: [3, 3], padding: [1, 1, 1, 1] });
  const sharp = conv1x1(largest, weights.at('fc'), half).gelu();
  return conv1x1(near.concat([sharp]), weights.at('last_fc'), 2 * half).add(x);
}

/** Channels of `high` ask those of `low`; then a gated network. */
function fused(low: Value, high: Value, weights: Weights): Value {
  const norm = (x: Value, name: string): Value => layerNorm2d(x, weights.at(name).at('body'), LAYER_NORM_EPSILON);
  const attention = weights.at('attn');
  const spread = (x: Value, name: string): Value =>
    depthwiseConv(x.conv(attention.at(name), NO_BIAS), attention.at(`${name}_dwconv`), NO_BIAS);
  const [channels, both] = [low.size(1), spread(norm(low, 'norm1'), 'kv')];
  const inputs = {
    query: spread(high, 'q'),
    key: both.slice(1, 0, channels),
    value: both.slice(1, channels, 2 * channels),
  };
  const y = transposedAttention(inputs, attention).conv(attention.at('project_out'), NO_BIAS).add(low);
  return gatedFeedForward(norm(y, 'norm2'), weights.at('ffn'), NO_BIAS).add(y);
}
