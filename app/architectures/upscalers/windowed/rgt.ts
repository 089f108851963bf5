import { chain } from '../../../onnx/chain.ts';
import { attend } from '../../../onnx/attention.ts';
import { conv1x1, conv3x3, depthwiseConv } from '../../../onnx/convolution.ts';
import { linear } from '../../../onnx/linear.ts';
import { layerNorm } from '../../../onnx/normalization.ts';
import { toMap, toTokens } from '../../../onnx/tokens.ts';
import type { Value } from '../../../onnx/value.ts';
import { queryKeyValue } from '../../../onnx/windows/window-attention.ts';
import type { Weights } from '../../../onnx/weights.ts';
import type { Architecture, Network } from '../../architecture.ts';
import { UnknownNetworkError } from '../../errors.ts';
import { cropTo, padMirrored } from '../../padding.ts';
import { hasAll } from '../../state-dict-keys.ts';
import type { PictureHead } from './picture-head.ts';
import { pictureHead, readPictureHead } from './picture-head.ts';
import type { Rectangles, Split } from './rectangle-attention.ts';
import { attendInRectangles, isShiftedBlock, rectangles, rectangleTable, splitOf } from './rectangle-attention.ts';
import { hasQueryBias } from './swin-frame.ts';
import { colorRange, LAYER_NORM_EPSILON, residualConv, spatialGateMlp } from './transformer-parts.ts';

const FIRST_BLOCK = 'layers.0.blocks.0';

/** The least side that is a pixel after being made smaller by 4 twice, which always happens. */
const MIN_SIDE = 16;

/** What blocks cannot see in their own tensors. */
interface RgtSize {
  readonly split: Split;
  readonly head: PictureHead;
  readonly hasBias: boolean;
}

/** A map of the picture's sides, and what its block is. */
interface RgtBlock {
  readonly map: Value;
  readonly shared: Rectangles;
  readonly hasBias: boolean;
  readonly heads: number;
  readonly isShifted: boolean;
}

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
    const [features, inputs] = [weights.dim('conv_first.weight', 0), weights.dim('conv_first.weight', 1)];
    const head = readPictureHead(weights, inputs);
    if (head.outputs !== inputs || head.upsampler !== 'pixelshuffle') {
      throw new UnknownNetworkError(
        `an RGT of ${inputs} channels to ${head.outputs} with the head '${head.upsampler}'; none is known`,
      );
    }
    const size = {
      head,
      hasBias: hasQueryBias(weights),
      split: splitOf(weights.at(`${FIRST_BLOCK}.attn.attns.0`), 'RGT'),
    };
    return {
      scale: head.upscale,
      inputChannels: inputs,
      outputChannels: inputs,
      parameters: parametersOf(weights, { features, inputs }, size),
      multipleOf: 1,
      padding: 'own',
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
  { features, inputs }: { readonly features: number; readonly inputs: number },
  { split, head, hasBias }: RgtSize,
): Network['parameters'] {
  const layers = weights.list('layers');
  const global = layers.find((layer) => layer.has('blocks.1'));
  return {
    img_size: 64,
    in_chans: inputs,
    embed_dim: features,
    depth: layers.map((layer) => layer.list('blocks').length),
    num_heads: layers.map((layer) => headsOf(layer, features)),
    mlp_ratio: weights.dim(`${FIRST_BLOCK}.mlp.fc1.weight`, 0) / weights.dim(`${FIRST_BLOCK}.mlp.fc1.weight`, 1),
    qkv_bias: hasBias,
    upscale: head.upscale,
    img_range: 1,
    resi_connection: weights.has('conv_after_body.0') ? '3conv' : '1conv',
    split_size: split,
    c_ratio: global ? global.dim('blocks.1.attn.conv.weight', 0) / features : 0.5,
  };
}

/** Blocks over windows tell half of the heads, rounded down. */
function headsOf(layer: Weights, features: number): number {
  const even = 2 * layer.dim('blocks.0.attn.attns.0.pos.pos3.2.weight', 0);
  return features % even === 0 ? even : even + 1;
}

function build(image: Value, weights: Weights, size: RgtSize): Value {
  const { head } = size;
  const [height, width] = [image.size(2), image.size(3)];
  const { enter, leave } = colorRange(1);
  const large = padMirrored(image, Math.max(height, MIN_SIDE), Math.max(width, MIN_SIDE));
  const shallow = conv3x3(enter(large), weights.at('conv_first'));
  const deep = residualConv(transformer(shallow, weights, size), weights.at('conv_after_body')).add(shallow);
  return cropTo(leave(pictureHead(deep, weights, head)), height * head.upscale, width * head.upscale);
}

/** The groups of blocks between two norms: [N, C, H, W] to the like. */
function transformer(map: Value, weights: Weights, { split, hasBias }: RgtSize): Value {
  const shared = rectangles(map, split);
  const entered = layerNorm(toTokens(map), weights.at('before_RG.1'), LAYER_NORM_EPSILON);
  const left = chain(entered, weights.list('layers'), (x, layer, group) => {
    const heads = headsOf(layer, map.size(1));
    const y = chain(x, layer.list('blocks'), (z, block, index) => {
      return rgtBlock(z, block, index, { map, shared, hasBias, heads, isShifted: isShiftedBlock(group, index) });
    });
    return toTokens(residualConv(toMap(y, map), layer.at('conv'))).add(x);
  });
  return toMap(layerNorm(left, weights.at('norm'), LAYER_NORM_EPSILON), map);
}

/** Attention, then a gated MLP, each with a norm in front and added to what went in; and some of what went into the block again. */
function rgtBlock(x: Value, weights: Weights, index: number, block: RgtBlock): Value {
  const normed = layerNorm(x, weights.at('norm1'), LAYER_NORM_EPSILON);
  const attention = index % 2 === 0 ? localAttention : globalAttention;
  const y = x.add(attention(normed, weights.at('attn'), block));
  const mixed = spatialGateMlp(layerNorm(y, weights.at('norm2'), LAYER_NORM_EPSILON), weights.at('mlp'), block.map);
  const gamma = x.graph.weight(weights.take('gamma', [x.size(2)]));
  return y.add(mixed).add(x.multiply(gamma));
}

/** Halves of the channels in windows that lie across each other, and a depthwise convolution of the values. */
function localAttention(x: Value, weights: Weights, { map, shared, hasBias, heads, isShifted }: RgtBlock): Value {
  const inputs = queryKeyValue(x, weights.at('qkv'), { hasBias });
  const each = Math.floor(heads / 2);
  const tables = [0, 1].map((index) => rectangleTable(x.graph, weights.at('attns').at(index), shared, each));
  const attended = attendInRectangles(inputs, shared, { heads: each, isShifted, tables });
  const convolved = toTokens(depthwiseConv(toMap(inputs.value, map), weights.at('get_v')));
  return linear(attended.add(convolved), weights.at('proj'));
}

/** Every pixel against tokens that stand for the whole picture: what is left of it after being made smaller by 4 a few times. */
function globalAttention(x: Value, weights: Weights, { map, hasBias, heads }: RgtBlock): Value {
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
