import { chain } from '../../../onnx/chain.ts';
import { continuousPositions } from '../../../onnx/windows/continuous-positions.ts';
import { conv1x1 } from '../../../onnx/convolution.ts';
import type { AttentionInputs } from '../../../onnx/attention.ts';
import { linear, project } from '../../../onnx/linear.ts';
import { layerNorm } from '../../../onnx/normalization.ts';
import { toMap, toTokens } from '../../../onnx/tokens.ts';
import type { Value } from '../../../onnx/value.ts';
import { attendInWindows, logitScale, positionBias } from '../../../onnx/windows/window-attention.ts';
import type { Weights } from '../../../onnx/weights.ts';
import type { Architecture, Network } from '../../architecture.ts';
import { hasAll } from '../../state-dict-keys.ts';
import type { SwinWindows } from './swin-block.ts';
import { swinWindows } from './swin-block.ts';
import { swin2SrHead } from './swin2sr-heads.ts';
import type { SwinFrame } from './swin-frame.ts';
import {
  betweenNorms,
  hasShifts,
  inSwinFrame,
  readSwinFrame,
  squareNetwork,
  swinParameters,
  trainedSide,
  windowOfIndex,
} from './swin-frame.ts';
import { LAYER_NORM_EPSILON, mlp, residualConv } from './transformer-parts.ts';

const FIRST_BLOCK = 'layers.0.residual_group.blocks.0';

/** What blocks cannot see in their own tensors. */
interface Swin2SrSize {
  readonly window: number;
  readonly hasBias: boolean;
}

/**
 * Swin2SR (arXiv:2209.11345): SwinIR with the blocks of Swin Transformer V2: queries and keys compared by their cosine, positions by a small
 * network, norms behind attention and MLP. Reference: mv-lab/swin2sr, models/network_swin2sr.py.
 */
export const swin2sr: Architecture = {
  name: 'Swin2SR',
  looksFor: `Swin2SR: conv_first + patch_embed.proj + ${FIRST_BLOCK}.attn.logit_scale`,

  detect: hasAll('conv_first', 'patch_embed.proj', `${FIRST_BLOCK}.attn.cpb_mlp`),

  // Made anew for the size of the picture.
  ignores: (name) => /\.(attn_mask|relative_position_index|relative_coords_table)$/.test(name),

  read(weights) {
    const frame = readSwinFrame(weights, 'Swin2SR');
    const window = windowOfIndex(weights, `${FIRST_BLOCK}.attn.relative_position_index`, 'Swin2SR');
    const blocks = ['layers', 'layers_hf'].flatMap((key) => weights.list(key)).flatMap(blocksOf);
    const hasBias = blocks.some((block) => block.has('attn.q_bias') || block.has('attn.v_bias'));
    const range = window === JPEG_WINDOW ? 255 : 1;
    const deep = (map: Value, layers = 'layers'): Value => transformer(map, weights, { window, hasBias }, layers);
    const head = swin2SrHead(weights);
    return {
      ...squareNetwork(frame, { window, haloWindows: HALO_WINDOWS, bytesPerFeature: BYTES_PER_FEATURE }),
      parameters: {
        ...parametersOf(weights, frame, { window, hasBias }),
        img_range: range,
        ...(head && { upsampler: head.upsampler }),
      },
      ...(head?.isPadding === true && { padding: 'own' }),
      build: (image) =>
        head
          ? head.build(image, weights, { frame, window, range, deep })
          : inSwinFrame(image, weights, { ...frame, range }, deep),
    } satisfies Network;
  },
};

/** Only the JPEG models have windows of this side, and work on 0..255. */
const JPEG_WINDOW = 7;

/** Windows around a tile: what is further away changed it by one level of 255 at most, as measured on pseudo-random weights. */
const HALO_WINDOWS = 4;

/** What a block takes at once for every feature of a pixel, by estimate. */
const BYTES_PER_FEATURE = 120;

function parametersOf(weights: Weights, frame: SwinFrame, { window, hasBias }: Swin2SrSize): Network['parameters'] {
  const layers = weights.list('layers');
  return {
    ...swinParameters(weights, frame),
    img_size: trainedSide(weights, `${FIRST_BLOCK.replace(/0$/, '1')}.attn_mask`, window),
    depths: layers.map((layer) => blocksOf(layer).length),
    num_heads: layers.map((layer) => layer.dim('residual_group.blocks.0.attn.logit_scale', 0)),
    window_size: window,
    mlp_ratio: weights.dim(`${FIRST_BLOCK}.mlp.fc1.weight`, 0) / frame.features,
    qkv_bias: hasBias,
  };
}

/** The groups of blocks, every second of them shifted: [N, C, H, W] to the like. */
function transformer(map: Value, weights: Weights, size: Swin2SrSize, layers: string): Value {
  const windows = swinWindows(map, size.window, size.hasBias, hasShifts(weights));
  const embed = (x: Value, at: Weights): Value => conv1x1(x, at.at('patch_embed.proj'), x.size(1));
  const group = (x: Value, layer: Weights): Value => {
    const y = chain(x, blocksOf(layer), (z, block, index) =>
      normedBlock(z, block, { windows, size, isShifted: index % 2 === 1 }),
    );
    return toTokens(embed(residualConv(toMap(y, map), layer.at('conv')), layer)).add(x);
  };
  return betweenNorms(embed(map, weights), weights, group, { layers });
}

function blocksOf(layer: Weights): readonly Weights[] {
  return layer.list('residual_group.blocks');
}

interface NormedBlock {
  readonly windows: SwinWindows;
  readonly size: Swin2SrSize;
  readonly isShifted: boolean;
}

/** Attention in windows, then an MLP, each with a norm behind and added to what went in: [N, H W, C] to the like. */
function normedBlock(x: Value, weights: Weights, { windows, size, isShifted }: NormedBlock): Value {
  const norm = (y: Value, name: string): Value => layerNorm(y, weights.at(name), LAYER_NORM_EPSILON);
  const cut = isShifted ? windows.shifted : windows.plain;
  const attention = weights.at('attn');
  const reach = { first: 1 - size.window, last: size.window - 1 };
  const table = continuousPositions(x.graph, attention.at('cpb_mlp'), [reach, reach]);
  const bias = positionBias(table, windows.positions, [cut.tokens, cut.tokens]);
  const scores = {
    heads: table.size(1),
    logitScale: logitScale(x.graph, attention),
    isCosine: true,
    bias,
    mask: cut.mask,
  };
  const inputs = queryKeyValue(cut.partition(x), attention, size.hasBias);
  const attended = linear(attendInWindows(inputs, scores), attention.at('proj'));
  const y = norm(cut.merge(attended), 'norm1').add(x);
  return norm(mlp(y, weights.at('mlp')), 'norm2').add(y);
}

/** Keys have no bias. */
function queryKeyValue(x: Value, attention: Weights, hasBias: boolean): AttentionInputs {
  const { graph } = x;
  const features = x.size(-1);
  const weight = graph.weight(attention.take('qkv.weight', [3 * features, features]));
  const rows = (index: number): Value => weight.slice(0, index * features, (index + 1) * features);
  const bias = (name: string): Value | undefined =>
    hasBias ? graph.weight(attention.take(name, [features])) : undefined;
  return {
    query: project(x, rows(0), bias('q_bias')),
    key: project(x, rows(1)),
    value: project(x, rows(2), bias('v_bias')),
  };
}
