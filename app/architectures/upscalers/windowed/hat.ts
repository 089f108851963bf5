import { chain } from '../../../onnx/chain.ts';
import { linear } from '../../../onnx/linear.ts';
import { layerNorm } from '../../../onnx/normalization.ts';
import { overlappingPositions, overlappingWindows } from '../../../onnx/windows/overlapping-windows.ts';
import { toMap, toTokens } from '../../../onnx/tokens.ts';
import type { Value } from '../../../onnx/value.ts';
import { attendInWindows, positionBias, queryKeyValue } from '../../../onnx/windows/window-attention.ts';
import type { Weights } from '../../../onnx/weights.ts';
import type { Architecture, Network } from '../../architecture.ts';
import { UnknownNetworkError } from '../../errors.ts';
import { hasAll } from '../../state-dict-keys.ts';
import type { SwinWindows } from './swin-block.ts';
import { swinAttention, swinWindows } from './swin-block.ts';
import type { SwinFrame } from './swin-frame.ts';
import {
  betweenNorms,
  groupConv,
  inSwinFrame,
  readSwinFrame,
  squareNetwork,
  swinParameters,
  windowOfTable,
} from './swin-frame.ts';
import { channelAttentionBlock, LAYER_NORM_EPSILON, mlp } from './transformer-parts.ts';

const GROUP = 'layers.0.residual_group';
const FIRST_BLOCK = `${GROUP}.blocks.0`;
const OVERLAP = `${GROUP}.overlap_attn`;
const TABLE = 'relative_position_bias_table';

/** How much of the convolutions goes into a block; not in the file. */
const CONV_SCALE = 0.01;

/** Sides, in pixels. */
interface HatSize {
  readonly window: number;
  /** Of what the last attention of a group sees around a window. */
  readonly reach: number;
}

/** What blocks share: the picture's sides, the cuts and the positions. */
interface HatWindows extends HatSize {
  readonly map: Value;
  readonly windows: SwinWindows;
  readonly overlapping: Value;
}

/**
 * HAT (arXiv:2205.04437): SwinIR's blocks with channel attention beside the windows, and at the end of each group attention from windows to
 * larger ones around them. Reference: XPixelGroup/HAT, hat/archs/hat_arch.py.
 */
export const hat: Architecture = {
  name: 'HAT',
  looksFor: `HAT: conv_first + ${FIRST_BLOCK}.conv_block.cab + ${OVERLAP}`,

  detect: hasAll('conv_first', `${FIRST_BLOCK}.conv_block.cab`, OVERLAP),

  // Made anew for the size of the picture.
  ignores: (name) => /^relative_position_index_(SA|OCA)$|(^|\.)attn_mask$/.test(name),

  read(weights) {
    const isIdentity = !weights.has('conv_after_body') && !weights.list('layers').some((layer) => layer.has('conv'));
    const frame = { ...readSwinFrame(weights, 'HAT'), isIdentity };
    if (frame.head.upsampler !== 'pixelshuffle') {
      throw new UnknownNetworkError(`a HAT with the head '${frame.head.upsampler}'; none is known`);
    }
    const window = windowOfTable(weights, `${FIRST_BLOCK}.attn.${TABLE}`, 'HAT');
    const reach = windowOfTable(weights, `${OVERLAP}.${TABLE}`, 'HAT', window);
    const size = { window, reach };
    return {
      ...squareNetwork(frame, { window, haloWindows: HALO_WINDOWS, bytesPerFeature: BYTES_PER_FEATURE }),
      parameters: parametersOf(weights, frame, size),
      tiling: 'whole-image-preferred',
      build: (image) => inSwinFrame(image, weights, frame, (map) => transformer(map, weights, frame, size)),
    } satisfies Network;
  },
};

/** Windows around a tile. The channel attention's means over the picture differ from tile to tile whatever a tile sees. */
const HALO_WINDOWS = 2;

/** What a block takes at once for every feature of a pixel, most of it scores of attention, as measured. */
const BYTES_PER_FEATURE = 320;

function parametersOf(weights: Weights, frame: SwinFrame, { window, reach }: HatSize): Network['parameters'] {
  const layers = weights.list('layers');
  const cab = weights.at(FIRST_BLOCK).at('conv_block.cab');
  return {
    ...swinParameters(weights, frame),
    img_size: 64,
    depths: layers.map((layer) => layer.list('residual_group.blocks').length),
    num_heads: layers.map((layer) => layer.dim(`residual_group.overlap_attn.${TABLE}`, 1)),
    window_size: window,
    compress_ratio: divisorOf(frame.features, cab.dim('0.weight', 0)),
    squeeze_factor: divisorOf(frame.features, cab.dim('3.attention.1.weight', 0)),
    conv_scale: CONV_SCALE,
    overlap_ratio: (reach - window) / window,
    mlp_ratio: weights.dim(`${FIRST_BLOCK}.mlp.fc1.weight`, 0) / frame.features,
    num_feat: weights.dim('conv_last.weight', 1),
  };
}

/** A number by which `whole`, divided and rounded down, is `part`: a whole one if there is one. */
function divisorOf(whole: number, part: number): number {
  const exact = whole / part;
  return [Math.ceil(exact), Math.floor(exact)].find((divisor) => Math.floor(whole / divisor) === part) ?? exact;
}

/** The groups of blocks: [N, C, H, W] to the like. */
function transformer(map: Value, weights: Weights, frame: SwinFrame, size: HatSize): Value {
  const shared: HatWindows = {
    ...size,
    map,
    windows: swinWindows(map, size.window, frame.hasBias),
    overlapping: overlappingPositions(map.graph, size.window, size.reach),
  };
  return betweenNorms(map, weights, (x, layer) => {
    const group = layer.at('residual_group');
    const y = chain(x, group.list('blocks'), (z, block, index) => hybridBlock(z, block, shared, index % 2 === 1));
    const z = overlappingBlock(y, group.at('overlap_attn'), shared);
    return frame.isIdentity ? z.add(x) : groupConv(z, x, layer, map);
  });
}

/** Attention in windows and, beside it, to channels; then an MLP: [N, H W, C] to the like. */
function hybridBlock(x: Value, weights: Weights, { map, windows }: HatWindows, isShifted: boolean): Value {
  const normed = layerNorm(x, weights.at('norm1'), LAYER_NORM_EPSILON);
  const convolved = toTokens(channelAttentionBlock(toMap(normed, map), weights.at('conv_block')));
  const cut = isShifted ? windows.shifted : windows.plain;
  const attention = weights.at('attn');
  const inputs = queryKeyValue(cut.partition(normed), attention.at('qkv'), windows);
  const attended = cut.merge(swinAttention(inputs, attention, cut, windows.positions));
  const y = x.add(attended).add(convolved.scale(CONV_SCALE));
  return mlp(layerNorm(y, weights.at('norm2'), LAYER_NORM_EPSILON), weights.at('mlp')).add(y);
}

/** Attention from the pixels of a window to those of a larger one around it; then an MLP: [N, H W, C] to the like. */
function overlappingBlock(x: Value, weights: Weights, shared: HatWindows): Value {
  const { map, windows, window, reach, overlapping } = shared;
  const normed = layerNorm(x, weights.at('norm1'), LAYER_NORM_EPSILON);
  const { query, key, value } = queryKeyValue(normed, weights.at('qkv'), windows);
  const layout = { height: map.size(2), width: map.size(3), window, reach };
  const table = x.graph.weight(weights.take(TABLE, [(window + reach - 1) ** 2, null]));
  const inputs = {
    query: windows.plain.partition(query),
    key: overlappingWindows(key, layout),
    value: overlappingWindows(value, layout),
  };
  const bias = positionBias(table, overlapping, [window ** 2, reach ** 2]);
  const attended = windows.plain.merge(attendInWindows(inputs, { heads: table.size(1), bias }));
  const y = linear(attended, weights.at('proj')).add(x);
  return mlp(layerNorm(y, weights.at('norm2'), LAYER_NORM_EPSILON), weights.at('mlp')).add(y);
}
