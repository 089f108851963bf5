import { attend } from '../../../onnx/attention.ts';
import { conv1x1, depthwiseConv } from '../../../onnx/convolution.ts';
import { linear } from '../../../onnx/linear.ts';
import { layerNorm } from '../../../onnx/normalization.ts';
import { toMap, toTokens } from '../../../onnx/tokens.ts';
import type { Value } from '../../../onnx/value.ts';
import { queryKeyValue } from '../../../onnx/windows/window-attention.ts';
import type { Weights } from '../../../onnx/weights.ts';
import type { Architecture, Network } from '../../architecture.ts';
import { cropTo, padMirrored } from '../../padding.ts';
import { hasAll } from '../../state-dict-keys.ts';
import { attendInRectangles, rectangleTable } from './rectangle-attention.ts';
import type { RectangleBlock, RectangleFrame } from './rectangle-frame.ts';
import { readRectangleFrame, rectangleGroups, rectangleNetwork, rectangleParameters } from './rectangle-frame.ts';
import { inSwinFrame, swinBytes } from './swin-frame.ts';
import { LAYER_NORM_EPSILON, spatialGateMlp } from './transformer-parts.ts';

const FIRST_BLOCK = 'layers.0.blocks.0';

/** The least side that is a pixel after being made smaller by 4 twice, which always happens. */
const MIN_SIDE = 16;

/**
 * RGT (arXiv:2303.06373): attention over windows that are long and flat, in turn with attention from every pixel to a few tokens that stand for
 * the whole picture. Reference: zhengchen1999/RGT, basicsr/archs/rgt_arch.py.
 */
export const rgt: Architecture = {
  name: 'RGT',
  looksFor: `RGT: before_RG.1 + ${FIRST_BLOCK}.attn.attns + ${FIRST_BLOCK}.mlp.sg`,

  detect: hasAll('before_RG.1', `${FIRST_BLOCK}.attn.attns.0`, `${FIRST_BLOCK}.mlp.sg`),

  // Masks and positions are made anew for the size of the picture.
  ignores: (name) => /\.attn_mask_[01]$|\.relative_position_index$/.test(name),

  read(weights) {
    const frame = readRectangleFrame(weights, 'RGT', ['pixelshuffle']);
    return {
      ...rectangleNetwork(frame),
      parameters: parametersOf(weights, frame),
      padding: 'own',
      workingBytesPerPixel: swinBytes(frame, BYTES_PER_FEATURE),
      build: (image) => build(image, weights, frame),
    } satisfies Network;
  },
};

/**
 * What a block takes at once for every feature of a pixel, most of it scores of attention: as measured from 160 x 160 pixels to 256 x 256, beyond the
 * largest tile. A smaller picture takes half of it.
 */
const BYTES_PER_FEATURE = 165;

function parametersOf(weights: Weights, frame: RectangleFrame): Network['parameters'] {
  const { features } = frame;
  const layers = weights.list('layers');
  const global = layers.find((layer) => layer.has('blocks.1'));
  return {
    ...rectangleParameters(weights, frame),
    img_size: 64,
    num_heads: layers.map((layer) => headsOf(layer, features)),
    mlp_ratio: weights.dim(`${FIRST_BLOCK}.mlp.fc1.weight`, 0) / weights.dim(`${FIRST_BLOCK}.mlp.fc1.weight`, 1),
    c_ratio: global ? global.dim('blocks.1.attn.conv.weight', 0) / features : 0.5,
  };
}

/** Blocks over windows tell half of the heads, rounded down. */
function headsOf(layer: Weights, features: number): number {
  const even = 2 * layer.dim('blocks.0.attn.attns.0.pos.pos3.2.weight', 0);
  return features % even === 0 ? even : even + 1;
}

function build(image: Value, weights: Weights, frame: RectangleFrame): Value {
  const { upscale } = frame.head;
  const [height, width] = [image.size(2), image.size(3)];
  const large = padMirrored(image, Math.max(height, MIN_SIDE), Math.max(width, MIN_SIDE));
  const groups = { headsOf: (layer: Weights) => headsOf(layer, frame.features), step: rgtBlock };
  const whole = inSwinFrame(large, weights, frame, (map) => rectangleGroups(map, weights, frame, groups));
  return cropTo(whole, height * upscale, width * upscale);
}

/** Attention, then a gated MLP, each with a norm in front and added to what went in; and some of what went into the block again. */
function rgtBlock(x: Value, weights: Weights, index: number, block: RectangleBlock): Value {
  const normed = layerNorm(x, weights.at('norm1'), LAYER_NORM_EPSILON);
  const attention = index % 2 === 0 ? localAttention : globalAttention;
  const y = x.add(attention(normed, weights.at('attn'), block));
  const mixed = spatialGateMlp(layerNorm(y, weights.at('norm2'), LAYER_NORM_EPSILON), weights.at('mlp'), block.map);
  const gamma = x.graph.weight(weights.take('gamma', [x.size(2)]));
  return y.add(mixed).add(x.multiply(gamma));
}

/** Halves of the channels in windows that lie across each other, and a depthwise convolution of the values. */
function localAttention(x: Value, weights: Weights, { map, shared, hasBias, heads, isShifted }: RectangleBlock): Value {
  const inputs = queryKeyValue(x, weights.at('qkv'), { hasBias });
  const each = Math.floor(heads / 2);
  const tables = [0, 1].map((index) => rectangleTable(x.graph, weights.at('attns').at(index), shared, each));
  const attended = attendInRectangles(inputs, shared, { heads: each, isShifted, tables });
  const convolved = toTokens(depthwiseConv(toMap(inputs.value, map), weights.at('get_v')));
  return linear(attended.add(convolved), weights.at('proj'));
}

/** Every pixel against tokens that stand for the whole picture: what is left of it after being made smaller by 4 a few times. */
function globalAttention(x: Value, weights: Weights, { map, hasBias, heads }: RectangleBlock): Value {
  const layer = (tokens: Value, name: string): Value => linear(tokens, weights.at(name), { hasBias });
  let small = toMap(x, map);
  for (let times = reductions(map.size(2), map.size(3)); times > 0; times--) {
    small = depthwiseConv(small, weights.at('reduction1'), { stride: 4, padding: 0 });
  }
  const mixed = toTokens(conv1x1(depthwiseConv(small, weights.at('dwconv')), weights.at('conv')));
  const tokens = layerNorm(mixed, weights.at('norm_act').at(0), LAYER_NORM_EPSILON).gelu();
  const value = layer(tokens, 'v');
  const placed = value.add(toTokens(depthwiseConv(toMap(value, small), weights.at('cpe'))));
  const inputs = { query: layer(x, 'q'), key: layer(tokens, 'k'), value: placed };
  return linear(attend(inputs, heads), weights.at('proj'));
}

/** Twice, and once more for every factor of 4 by which the longer side is above 256; but never to nothing. */
function reductions(height: number, width: number): number {
  const powersOf4 = (size: number): number => Math.floor(Math.log2(size) / 2);
  const wanted = Math.max(2, powersOf4(Math.floor(Math.max(height, width) / 16)));
  return Math.min(wanted, powersOf4(Math.min(height, width)));
}
