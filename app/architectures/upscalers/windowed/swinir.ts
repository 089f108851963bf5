import { chain } from '../../../onnx/chain.ts';
import type { Value } from '../../../onnx/value.ts';
import type { Weights } from '../../../onnx/weights.ts';
import type { Architecture, Network } from '../../architecture.ts';
import { hasAll } from '../../state-dict-keys.ts';
import { swinBlock, swinWindows } from './swin-block.ts';
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
  windowOfIndex,
} from './swin-frame.ts';

const FIRST_BLOCK = 'layers.0.residual_group.blocks.0';
const SECOND_BLOCK = 'layers.0.residual_group.blocks.1';

/**
 * SwinIR (arXiv:2108.10257): groups of transformer blocks with attention in windows, every second of them shifted; classical,
 * lightweight and real-world super-resolution, denoising, JPEG artefacts. Reference: models/network_swinir.py.
 */
export const swinir: Architecture = {
  name: 'SwinIR',
  looksFor: `SwinIR: conv_first + ${FIRST_BLOCK}.attn.relative_position_index`,

  // Swin2SR's blocks have all of that too, and the network that makes their position biases.
  detect: (weights) =>
    hasAll('conv_first', `${FIRST_BLOCK}.attn.relative_position_index`, `${FIRST_BLOCK}.mlp.fc1`)(weights) &&
    !weights.has(`${FIRST_BLOCK}.attn.cpb_mlp`),

  // Made anew for the size of the picture.
  ignores: (name) => name.endsWith('.attn_mask') || name.endsWith('.relative_position_index'),

  read(weights) {
    const frame = readSwinFrame(weights, 'SwinIR');
    const window = windowOfIndex(weights, `${FIRST_BLOCK}.attn.relative_position_index`, 'SwinIR');
    const range = window === 7 ? 255 : 1; // only the JPEG models have a window of 7
    return {
      ...squareNetwork(frame, { window, haloWindows: HALO_WINDOWS, bytesPerFeature: BYTES_PER_FEATURE }),
      parameters: parametersOf(weights, frame, { window, range }),
      build: (image) =>
        inSwinFrame(image, weights, { ...frame, range }, (map) => transformer(map, weights, frame, window)),
    } satisfies Network;
  },
};

/** Windows around a tile: what is further away changed it by one level of 255 at most, as measured on pseudo-random weights. */
const HALO_WINDOWS = 4;

/** What a block takes at once for every feature of a pixel: 93 bytes in the JPEG models, 90 at 60 features, 52 at 240, as measured. */
const BYTES_PER_FEATURE = 108;

function parametersOf(
  weights: Weights,
  frame: SwinFrame,
  { window, range }: { readonly window: number; readonly range: number },
): Network['parameters'] {
  const layers = weights.list('layers');
  return {
    ...swinParameters(weights, frame),
    img_size: trainedSide(weights, `${SECOND_BLOCK}.attn_mask`, window, weights.has(SECOND_BLOCK) ? window : 64),
    depths: layers.map((layer) => layer.list('residual_group.blocks').length),
    num_heads: layers.map((layer) => layer.dim('residual_group.blocks.0.attn.relative_position_bias_table', 1)),
    window_size: window,
    mlp_ratio: weights.dim(`${FIRST_BLOCK}.mlp.fc1.bias`, 0) / frame.features,
    img_range: range,
    start_unshuffle: frame.unshuffle,
  };
}

/** The groups of blocks, every second of them shifted: [N, C, H, W] to the like. */
function transformer(map: Value, weights: Weights, { hasBias }: SwinFrame, window: number): Value {
  const windows = swinWindows(map, window, hasBias, hasShifts(weights));
  return betweenNorms(map, weights, (x, layer) => {
    const blocks = layer.list('residual_group.blocks');
    const y = chain(x, blocks, (z, block, index) => swinBlock(z, block, windows, index % 2 === 1));
    return groupConv(y, x, layer, map);
  });
}
