import { project } from '../../../onnx/linear.ts';
import type { Value } from '../../../onnx/value.ts';
import type { Weights } from '../../../onnx/weights.ts';
import type { Architecture, Network } from '../../architecture.ts';
import { UnknownNetworkError } from '../../errors.ts';
import { hasAll } from '../../state-dict-keys.ts';
import type { SwinWindows } from './swin-block.ts';
import { swinBlock, swinWindows } from './swin-block.ts';
import type { SwinFrame } from './swin-frame.ts';
import {
  betweenNorms,
  hasShifts,
  inSwinFrame,
  readSwinFrame,
  squareNetwork,
  swinParameters,
  trainedSide,
  windowOfTable,
} from './swin-frame.ts';

const FIRST = 'layers.0.swin1';
const TABLE = 'attn.relative_position_bias_table';

/** Blocks in a group; the second and the fourth are shifted. */
const BLOCKS = 5;

/** How much of a group is added to what went in; not in the file. */
const GROUP_SCALE = 0.2;

/** A parameter of the reference that says nothing. */
const DEPTH = 6;

/**
 * DRCT (arXiv:2404.00722): groups of SwinIR's blocks that each see what all before them made. Reference: ming053l/DRCT, drct/archs/DRCT_arch.py.
 */
export const drct: Architecture = {
  name: 'DRCT',
  looksFor: `DRCT: conv_first + ${FIRST}.attn + layers.0.adjust1`,

  detect: hasAll('conv_first', `${FIRST}.attn`, 'layers.0.adjust1'),

  // Made anew for the size of the picture.
  ignores: (name) => name.endsWith('.attn_mask') || name.endsWith('.relative_position_index'),

  read(weights) {
    const frame = { ...readSwinFrame(weights, 'DRCT'), isIdentity: !weights.has('conv_after_body') };
    if (frame.head.upsampler !== 'pixelshuffle') {
      throw new UnknownNetworkError(`a DRCT with the head '${frame.head.upsampler}'; none is known`);
    }
    const table = `${FIRST}.${TABLE}`;
    const window = windowOfTable(weights, table, 'DRCT');
    return {
      ...squareNetwork(frame, { window, haloWindows: HALO_WINDOWS, bytesPerFeature: BYTES_PER_FEATURE }),
      parameters: parametersOf(weights, frame, window),
      build: (image) => inSwinFrame(image, weights, frame, (map) => transformer(map, weights, frame, window)),
    } satisfies Network;
  },
};

/** Windows around a tile: what is further away changed it by one level of 255 at most, as measured on pseudo-random weights. */
const HALO_WINDOWS = 2;

/**
 * What a group takes for every feature of a pixel, as measured. Its blocks all differ in width and heads, and the runtime keeps what one has
 * used for the block of the same size in the next group.
 */
const BYTES_PER_FEATURE = 470;

function parametersOf(weights: Weights, frame: SwinFrame, window: number): Network['parameters'] {
  const layers = weights.list('layers');
  return {
    ...swinParameters(weights, frame),
    img_size: trainedSide(weights, 'layers.0.swin2.attn_mask', window),
    depths: layers.map(() => DEPTH),
    num_heads: layers.map((layer) => layer.dim(`swin1.${TABLE}`, 1)),
    window_size: window,
    mlp_ratio: weights.dim(`${FIRST}.mlp.fc1.weight`, 0) / frame.features,
    gc: weights.dim('layers.0.adjust1.weight', 0),
  };
}

/** The groups: [N, C, H, W] to the like. */
function transformer(map: Value, weights: Weights, { hasBias }: SwinFrame, window: number): Value {
  const windows = swinWindows(map, window, hasBias, hasShifts(weights));
  const growth = weights.dim('layers.0.adjust1.weight', 0);
  return betweenNorms(map, weights, (x, layer) => denseGroup(x, layer, windows, growth));
}

/** Blocks on all that came before them, each with a 1x1 convolution to few features, or, at the end, to as many as went in. */
function denseGroup(x: Value, weights: Weights, windows: SwinWindows, growth: number): Value {
  let seen = x;
  for (let index = 1; index < BLOCKS; index++) {
    const made = pointwise(block(seen, weights, index, windows), weights.at(`adjust${index}`), growth).leakyRelu(0.2);
    seen = seen.concat([made], 2);
  }
  const last = pointwise(block(seen, weights, BLOCKS, windows), weights.at(`adjust${BLOCKS}`), x.size(2));
  return last.scale(GROUP_SCALE).add(x);
}

function block(x: Value, weights: Weights, index: number, windows: SwinWindows): Value {
  return swinBlock(x, weights.at(`swin${index}`), windows, index % 2 === 0);
}

/** A 1x1 convolution of tokens [N, H W, C]. */
function pointwise(x: Value, weights: Weights, outputs: number): Value {
  const { graph } = x;
  const weight = graph.weight(weights.take('weight', [outputs, x.size(2), 1, 1]));
  return project(x, weight.reshape([outputs, x.size(2)]), graph.weight(weights.take('bias', [outputs])));
}
