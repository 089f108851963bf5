import { conv1x1, depthwiseConv } from '../../../onnx/convolution.ts';
import { linear } from '../../../onnx/linear.ts';
import { batchNorm, layerNorm, unitLength } from '../../../onnx/normalization.ts';
import { globalAveragePool } from '../../../onnx/pooling.ts';
import { toMap, toTokens } from '../../../onnx/tokens.ts';
import type { Value } from '../../../onnx/value.ts';
import { queryKeyValue } from '../../../onnx/windows/window-attention.ts';
import type { Weights } from '../../../onnx/weights.ts';
import type { Architecture, Network } from '../../architecture.ts';
import { hasAll, isBatchNormCounter } from '../../state-dict-keys.ts';
import { attendInRectangles, rectangleTable } from './rectangle-attention.ts';
import type { RectangleBlock, RectangleFrame } from './rectangle-frame.ts';
import { readRectangleFrame, rectangleGroups, rectangleNetwork, rectangleParameters } from './rectangle-frame.ts';
import { inSwinFrame, swinBytes } from './swin-frame.ts';
import { LAYER_NORM_EPSILON, spatialGateMlp } from './transformer-parts.ts';

const FIRST_BLOCK = 'layers.0.blocks.0';

/**
 * DAT (arXiv:2308.03364): attention over windows that are long and flat, in turn with attention over channels, each beside a
 * convolution. Reference: basicsr/archs/dat_arch.py.
 */
export const dat: Architecture = {
  name: 'DAT',
  looksFor: `DAT: before_RG.1 + ${FIRST_BLOCK}.attn.attns + ${FIRST_BLOCK}.ffn.sg`,

  detect: hasAll('before_RG.1', `${FIRST_BLOCK}.attn.attns.0`, `${FIRST_BLOCK}.ffn.sg`),

  // Masks and positions are made anew for the size of the picture.
  ignores: (name) => isBatchNormCounter(name) || /\.attn_mask_[01]$|\.relative_position_index$/.test(name),

  read(weights) {
    const frame = readRectangleFrame(weights, 'DAT', ['pixelshuffle', 'pixelshuffledirect', 'nearest+conv']);
    return {
      ...rectangleNetwork(frame),
      parameters: parametersOf(weights, frame),
      workingBytesPerPixel: swinBytes(frame, BYTES_PER_FEATURE) + scoreBytes(weights, frame),
      build: (image) =>
        inSwinFrame(image, weights, frame, (map) => rectangleGroups(map, weights, frame, { headsOf, step: datBlock })),
    } satisfies Network;
  },
};

/** What a block takes at once for every feature of a pixel, beside scores of attention, as measured (`npm run bench:memory-per-pixel`). */
const BYTES_PER_FEATURE = 31;

/** And for every score of a pixel: of each head with each token of its window. */
const BYTES_PER_SCORE = 10;

function scoreBytes(weights: Weights, { split }: RectangleFrame): number {
  return BYTES_PER_SCORE * Math.max(...weights.list('layers').map(headsOf)) * split[0] * split[1];
}

function parametersOf(weights: Weights, frame: RectangleFrame): Network['parameters'] {
  const mask = 'layers.0.blocks.2.attn.attn_mask_0';
  return {
    ...rectangleParameters(weights, frame),
    img_size: weights.has(mask) ? Math.floor(Math.sqrt(weights.dim(mask, 0) * weights.dim(mask, 1))) : 64,
    num_heads: weights.list('layers').map(headsOf),
    expansion_factor: weights.dim(`${FIRST_BLOCK}.ffn.fc1.weight`, 0) / frame.features,
    upsampler: frame.head.upsampler,
  };
}

/** Blocks over channels tell the heads; those over windows half of them. */
function headsOf(layer: Weights): number {
  if (layer.has('blocks.1')) return layer.dim('blocks.1.attn.temperature', 0);
  return 2 * layer.dim('blocks.0.attn.attns.0.pos.pos3.2.weight', 0);
}

/** Attention, then a gated MLP, each with a norm in front and added to what went in: [N, H W, C] to the like. */
function datBlock(x: Value, weights: Weights, index: number, block: RectangleBlock): Value {
  const normed = layerNorm(x, weights.at('norm1'), LAYER_NORM_EPSILON);
  const attention = index % 2 === 0 ? spatialAttention : channelAttention;
  const y = x.add(attention(normed, weights.at('attn'), block));
  const mixed = spatialGateMlp(layerNorm(y, weights.at('norm2'), LAYER_NORM_EPSILON), weights.at('ffn'), block.map);
  return y.add(mixed);
}

/** Halves of the channels in windows that lie across each other. */
function spatialAttention(x: Value, weights: Weights, block: RectangleBlock): Value {
  const { map, shared, hasBias, heads, isShifted } = block;
  const inputs = queryKeyValue(x, weights.at('qkv'), { hasBias });
  const tables = [0, 1].map((index) => rectangleTable(x.graph, weights.at('attns').at(index), shared, heads / 2));
  const attended = toMap(attendInRectangles(inputs, shared, { heads: heads / 2, isShifted, tables }), map);
  const convolved = convolution(toMap(inputs.value, map), weights.at('dwconv'));
  return joined(weights, { attended, convolved, channelsOf: convolved, placesOf: attended });
}

/** Every feature of a head against all others of it, over the whole picture. */
function channelAttention(x: Value, weights: Weights, { map, hasBias, heads }: RectangleBlock): Value {
  const { query, key, value } = queryKeyValue(x, weights.at('qkv'), { hasBias });
  const perHead = (tokens: Value, order: readonly number[]): Value =>
    tokens.reshape([x.size(0), x.size(1), heads, x.size(2) / heads]).transpose(order);
  const temperature = x.graph.weight(weights.take('temperature', [heads, 1, 1]));
  const features = perHead(value, [0, 2, 3, 1]);
  const [left, right] = [unitLength(perHead(query, [0, 2, 3, 1]), 3), unitLength(perHead(key, [0, 2, 1, 3]), 2)];
  const attention = left.matmul(right).multiply(temperature).softmax();
  const sides = [x.size(0), x.size(2), map.size(2), map.size(3)];
  const attended = attention.matmul(features).reshape(sides);
  const convolved = convolution(features.reshape(sides), weights.at('dwconv'));
  return joined(weights, { attended, convolved, channelsOf: attended, placesOf: convolved });
}

/** Depthwise 3x3, BatchNorm, GELU. */
function convolution(map: Value, weights: Weights): Value {
  return batchNorm(depthwiseConv(map, weights.at(0)), weights.at(1)).gelu();
}

/** Two maps of a picture, and which of them says how much of each channel and of each place passes of the other. */
interface Branches {
  readonly attended: Value;
  readonly convolved: Value;
  readonly channelsOf: Value;
  readonly placesOf: Value;
}

/** The adaptive interaction of both, through the last layer: [N, H W, C]. */
function joined(weights: Weights, { attended, convolved, channelsOf, placesOf }: Branches): Value {
  const channels = channelsOf.size(1);
  const channelMap = interaction(globalAveragePool(channelsOf), weights.at('channel_interaction'), [
    1,
    channels,
  ]).sigmoid();
  const placeMap = interaction(placesOf, weights.at('spatial_interaction'), [0, 1]).sigmoid();
  const isByChannel = channelsOf === convolved;
  const passed = attended.multiply(isByChannel ? channelMap : placeMap);
  const sum = passed.add(convolved.multiply(isByChannel ? placeMap : channelMap));
  return linear(toTokens(sum), weights.at('proj'));
}

/** 1x1 to fewer channels, BatchNorm, GELU, 1x1 to `outputs`; numbered from `at`. */
function interaction(x: Value, weights: Weights, [at, outputs]: readonly [number, number]): Value {
  const narrow = batchNorm(conv1x1(x, weights.at(at)), weights.at(at + 1)).gelu();
  return conv1x1(narrow, weights.at(at + 3), outputs);
}
