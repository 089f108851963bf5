import { chain } from '../../../onnx/chain.ts';
import type { AttentionInputs } from '../../../onnx/attention.ts';
import { linear } from '../../../onnx/linear.ts';
import { layerNorm } from '../../../onnx/normalization.ts';
import type { Value } from '../../../onnx/value.ts';
import type { WindowScores } from '../../../onnx/windows/window-attention.ts';
import { attendInWindows, positionBias, relativePositions } from '../../../onnx/windows/window-attention.ts';
import type { Weights } from '../../../onnx/weights.ts';
import { regionMask, Windows } from '../../../onnx/windows/windows.ts';
import type { Architecture, Network } from '../../architecture.ts';
import { UnknownNetworkError } from '../../errors.ts';
import { hasAll } from '../../state-dict-keys.ts';
import type { SwinFrame } from './swin-frame.ts';
import {
  betweenNorms,
  groupConv,
  hasShifts,
  inSwinFrame,
  readSwinFrame,
  squareNetwork,
  swinParameters,
  trainedSide,
} from './swin-frame.ts';
import { convFeedForward, LAYER_NORM_EPSILON } from './transformer-parts.ts';

const FIRST_BLOCK = 'layers.0.residual_group.blocks.0';
const TABLE = 'relative_position_bias_table';

/** The cuts of the picture, and the masks between its pixels and the keys, which stand for 2 x 2 pixels each. */
interface PermutedWindows {
  readonly side: number;
  readonly plain: Windows;
  readonly shifted: Windows;
  readonly mask: Value | undefined;
  /** Rows of the tables of relative positions, for pairs of keys. */
  readonly positions: Value;
}

/**
 * SRFormer (arXiv:2303.09735): SwinIR with windows as large as 24 pixels, in which keys and values have 2 x 2 pixels folded into their
 * channels (permuted self-attention). Reference: HVision-NKU/SRFormer, basicsr/archs/srformer_arch.py.
 */
export const srFormer: Architecture = {
  name: 'SRFormer',
  looksFor: `SRFormer: conv_first + ${FIRST_BLOCK}.attn.aligned_relative_position_index`,

  detect: hasAll('conv_first', `${FIRST_BLOCK}.attn.aligned_relative_position_index`, `${FIRST_BLOCK}.mlp.fc1`),

  // Made anew for the size of the picture.
  ignores: (name) => name.endsWith('.attn_mask') || name.endsWith('.aligned_relative_position_index'),

  read(weights) {
    const frame = readSwinFrame(weights, 'SRFormer');
    const window = Math.sqrt(weights.dim(`${FIRST_BLOCK}.attn.${TABLE}`, 0)) + 1;
    if (!Number.isInteger(window / 2)) {
      throw new UnknownNetworkError(
        `an SRFormer with windows of ${window} pixels, which have no halves; none is known`,
      );
    }
    return {
      ...squareNetwork(frame, { window, haloWindows: HALO_WINDOWS, bytesPerFeature: BYTES_PER_FEATURE }),
      parameters: parametersOf(weights, frame, window),
      build: (image) => inSwinFrame(image, weights, frame, (map) => transformer(map, weights, frame, window)),
    } satisfies Network;
  },
};

/** Windows around a tile: what is further away changed it by one level of 255 at most, as measured on pseudo-random weights. */
const HALO_WINDOWS = 2;

/** What a block takes at once for every feature of a pixel, most of it scores of attention, by estimate. */
const BYTES_PER_FEATURE = 150;

/** Of pictures that people train on. */
const TRAINED_SIDES = [512, 256, 128, 96, 64, 48, 32, 24, 16];

function parametersOf(weights: Weights, frame: SwinFrame, window: number): Network['parameters'] {
  const layers = weights.list('layers');
  const filled = trainedSide(weights, `${FIRST_BLOCK.replace(/0$/, '1')}.attn_mask`, window);
  return {
    ...swinParameters(weights, frame),
    img_size: TRAINED_SIDES.find((side) => Math.ceil(side / window) * window === filled) ?? filled,
    depths: layers.map((layer) => layer.list('residual_group.blocks').length),
    num_heads: layers.map((layer) => layer.dim(`residual_group.blocks.0.attn.${TABLE}`, 1)),
    window_size: window,
    mlp_ratio: weights.dim(`${FIRST_BLOCK}.mlp.fc1.weight`, 0) / frame.features,
  };
}

/** The groups of blocks, every second of them shifted: [N, C, H, W] to the like. */
function transformer(map: Value, weights: Weights, { hasBias }: SwinFrame, window: number): Value {
  const windows = permutedWindows(map, window, hasShifts(weights));
  return betweenNorms(map, weights, (x, layer) => {
    const blocks = layer.list('residual_group.blocks');
    const y = chain(x, blocks, (z, block, index) =>
      permutedBlock(z, block, { map, windows, hasBias, isShifted: index % 2 === 1 }),
    );
    return groupConv(y, x, layer, map);
  });
}

function permutedWindows({ graph, shape }: Value, window: number, isShifting: boolean): PermutedWindows {
  const [height = 0, width = 0] = shape.slice(2).map((side) => side ?? 0);
  const [side, shift] = [window / 2, Math.floor(window / 2)];
  const layout = { height, width, window: [window, window] } as const;
  const shifted = { ...layout, shift: [shift, shift] } as const;
  // The reference halves the shift towards the end of the map, so half of 11 is 6.
  const keyShift = Math.ceil(shift / 2);
  const keys = { height: height / 2, width: width / 2, window: [side, side], shift: [keyShift, keyShift] } as const;
  const plain = new Windows(graph, layout);
  return {
    side,
    plain,
    shifted: isShifting ? new Windows(graph, shifted) : plain,
    mask: isShifting ? regionMask(graph, shifted, keys) : undefined,
    positions: relativePositions(graph, [side, side]),
  };
}

/** A map of the picture's sides, and what its block is. */
interface PermutedBlock {
  readonly map: Value;
  readonly windows: PermutedWindows;
  readonly hasBias: boolean;
  readonly isShifted: boolean;
}

/** Attention in windows, then an MLP with a convolution, each with a norm in front and added to what went in. */
function permutedBlock(x: Value, weights: Weights, block: PermutedBlock): Value {
  const norm = (y: Value, name: string): Value => layerNorm(y, weights.at(name), LAYER_NORM_EPSILON);
  const { map, windows, isShifted } = block;
  const cut = isShifted ? windows.shifted : windows.plain;
  const attention = weights.at('attn');
  const inputs = foldedInputs(cut.partition(norm(x, 'norm1')), attention, block);
  const scores = { ...positionScores(x, attention, windows), mask: isShifted ? windows.mask : undefined };
  const y = cut.merge(linear(attendInWindows(inputs, scores), attention.at('proj'))).add(x);
  return convFeedForward(norm(y, 'norm2'), weights.at('mlp'), map).add(y);
}

/** A query for every pixel of a window; a key and a value for every 2 x 2 of them, a quarter of the features from each. */
function foldedInputs(x: Value, weights: Weights, { hasBias, windows }: PermutedBlock): AttentionInputs {
  const [count, features] = [x.size(0), x.size(2)];
  const { side } = windows;
  const both = linear(x, weights.at('kv'), { hasBias });
  const folded = both
    .reshape([count, side, 2, side, 2, 2, features / 4])
    .transpose([0, 1, 3, 5, 2, 4, 6])
    .reshape([count, side ** 2, 2 * features]);
  return {
    query: linear(x, weights.at('q'), { hasBias }),
    key: folded.slice(2, 0, features),
    value: folded.slice(2, features, 2 * features),
  };
}

/** A pixel lies where the 2 x 2 do that it belongs to. */
function positionScores({ graph }: Value, weights: Weights, { side, positions }: PermutedWindows): WindowScores {
  const table = graph.weight(weights.take(TABLE, [(2 * side - 1) ** 2, null]));
  const byFolded = positionBias(table, positions, [side ** 2, side ** 2]);
  const foldedOf = Array.from({ length: 4 * side ** 2 }, (_, pixel) => {
    const [y, x] = [Math.floor(pixel / (2 * side)), pixel % (2 * side)];
    return Math.floor(y / 2) * side + Math.floor(x / 2);
  });
  return { heads: table.size(1), bias: byFolded.gather(1, foldedOf) };
}
