import { chain } from '../../../onnx/chain.ts';
import { conv1x1, conv3x3, depthwiseConv } from '../../../onnx/convolution.ts';
import { linear } from '../../../onnx/linear.ts';
import { batchNorm, layerNorm, unitLength } from '../../../onnx/normalization.ts';
import { globalAveragePool } from '../../../onnx/pooling.ts';
import { toMap, toTokens } from '../../../onnx/tokens.ts';
import type { Value } from '../../../onnx/value.ts';
import { queryKeyValue } from '../../../onnx/windows/window-attention.ts';
import type { Weights } from '../../../onnx/weights.ts';
import type { Architecture, Network } from '../../architecture.ts';
import { UnknownNetworkError } from '../../errors.ts';
import { hasAll, isBatchNormCounter } from '../../state-dict-keys.ts';
import type { PictureHead } from './picture-head.ts';
import { pictureHead, readPictureHead } from './picture-head.ts';
import type { Rectangles, Split } from './rectangle-attention.ts';
import { attendInRectangles, isShiftedBlock, rectangles, rectangleTable, splitOf } from './rectangle-attention.ts';
import { hasQueryBias } from './swin-frame.ts';
import { colorRange, LAYER_NORM_EPSILON, residualConv, spatialGateMlp } from './transformer-parts.ts';

const FIRST_BLOCK = 'layers.0.blocks.0';

/** What blocks cannot see in their own tensors. */
interface DatSize {
  readonly split: Split;
  readonly hasBias: boolean;
  readonly head: PictureHead;
}

/** A map of the picture's sides, and what its block is. */
interface DatBlock {
  readonly map: Value;
  readonly size: DatSize;
  readonly shared: Rectangles;
  readonly heads: number;
  readonly isShifted: boolean;
}

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
    const [features, inputs] = [weights.dim('conv_first.weight', 0), weights.dim('conv_first.weight', 1)];
    const head = readPictureHead(weights, inputs);
    if (head.outputs !== inputs || head.upsampler === '') {
      throw new UnknownNetworkError(
        `a DAT of ${inputs} channels to ${head.outputs} with the head '${head.upsampler}'; none is known`,
      );
    }
    const size = {
      head,
      hasBias: hasQueryBias(weights),
      split: splitOf(weights.at(`${FIRST_BLOCK}.attn.attns.0`), 'DAT'),
    };
    return {
      scale: head.upscale,
      inputChannels: inputs,
      outputChannels: inputs,
      parameters: parametersOf(weights, features, inputs, size),
      multipleOf: 1,
      halo: Math.max(...size.split),
      tiling: 'whole-image-preferred',
      sides: 'fixed',
      workingBytesPerPixel: BYTES_PER_FEATURE * features + 4 * 3 * 64 * head.upscale ** 2,
      int8Refusal: 'attention has no 8-bit form here',
      build: (image) => build(image, weights, size),
    } satisfies Network;
  },
};

/** What a block takes at once for every feature of a pixel, most of it scores of attention. */
const BYTES_PER_FEATURE = 100;

function parametersOf(
  weights: Weights,
  features: number,
  inputs: number,
  { split, hasBias, head }: DatSize,
): Network['parameters'] {
  const layers = weights.list('layers');
  const mask = 'layers.0.blocks.2.attn.attn_mask_0';
  return {
    img_size: weights.has(mask) ? Math.floor(Math.sqrt(weights.dim(mask, 0) * weights.dim(mask, 1))) : 64,
    in_chans: inputs,
    embed_dim: features,
    split_size: split,
    depth: layers.map((layer) => layer.list('blocks').length),
    num_heads: layers.map(headsOf),
    expansion_factor: weights.dim(`${FIRST_BLOCK}.ffn.fc1.weight`, 0) / features,
    qkv_bias: hasBias,
    upscale: head.upscale,
    img_range: 1,
    resi_connection: weights.has('conv_after_body.0') ? '3conv' : '1conv',
    upsampler: head.upsampler,
  };
}

/** Blocks over channels tell the heads; those over windows half of them. */
function headsOf(layer: Weights): number {
  if (layer.has('blocks.1')) return layer.dim('blocks.1.attn.temperature', 0);
  return 2 * layer.dim('blocks.0.attn.attns.0.pos.pos3.2.weight', 0);
}

function build(image: Value, weights: Weights, size: DatSize): Value {
  const { enter, leave } = colorRange(1);
  const shallow = conv3x3(enter(image), weights.at('conv_first'));
  const deep = residualConv(transformer(shallow, weights, size), weights.at('conv_after_body')).add(shallow);
  return leave(pictureHead(deep, weights, size.head));
}

/** The groups of blocks between two norms: [N, C, H, W] to the like. */
function transformer(map: Value, weights: Weights, size: DatSize): Value {
  const shared = rectangles(map, size.split);
  const entered = layerNorm(toTokens(map), weights.at('before_RG.1'), LAYER_NORM_EPSILON);
  const left = chain(entered, weights.list('layers'), (x, layer, group) => {
    const heads = headsOf(layer);
    const y = chain(x, layer.list('blocks'), (z, block, index) => {
      return datBlock(z, block, index, { map, size, shared, heads, isShifted: isShiftedBlock(group, index) });
    });
    return toTokens(residualConv(toMap(y, map), layer.at('conv'))).add(x);
  });
  return toMap(layerNorm(left, weights.at('norm'), LAYER_NORM_EPSILON), map);
}

/** Attention, then a gated MLP, each with a norm in front and added to what went in: [N, H W, C] to the like. */
function datBlock(x: Value, weights: Weights, index: number, block: DatBlock): Value {
  const normed = layerNorm(x, weights.at('norm1'), LAYER_NORM_EPSILON);
  const attention = index % 2 === 0 ? spatialAttention : channelAttention;
  const y = x.add(attention(normed, weights.at('attn'), block));
  const mixed = spatialGateMlp(layerNorm(y, weights.at('norm2'), LAYER_NORM_EPSILON), weights.at('ffn'), block.map);
  return y.add(mixed);
}

/** Halves of the channels in windows that lie across each other. */
function spatialAttention(x: Value, weights: Weights, block: DatBlock): Value {
  const { map, size, shared, heads, isShifted } = block;
  const inputs = queryKeyValue(x, weights.at('qkv'), size);
  const tables = [0, 1].map((index) => rectangleTable(x.graph, weights.at('attns').at(index), shared, heads / 2));
  const attended = toMap(attendInRectangles(inputs, shared, { heads: heads / 2, isShifted, tables }), map);
  const convolved = convolution(toMap(inputs.value, map), weights.at('dwconv'));
  return joined(weights, { attended, convolved, channelsOf: convolved, placesOf: attended });
}

/** Every feature of a head against all others of it, over the whole picture. */
function channelAttention(x: Value, weights: Weights, { map, size, heads }: DatBlock): Value {
  const { query, key, value } = queryKeyValue(x, weights.at('qkv'), size);
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
