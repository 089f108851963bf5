import { conv3x3 } from '../../../onnx/convolution.ts';
import { linear } from '../../../onnx/linear.ts';
import { layerNorm } from '../../../onnx/normalization.ts';
import { toMap, toTokens } from '../../../onnx/tokens.ts';
import type { Value } from '../../../onnx/value.ts';
import { attendInWindows, positionBias, queryKeyValue, relativePositions } from '../../../onnx/window-attention.ts';
import type { Weights } from '../../../onnx/weights.ts';
import { Windows } from '../../../onnx/windows.ts';
import type { Architecture, Network } from '../../architecture.ts';
import { UnknownNetworkError } from '../../errors.ts';
import { hasAll } from '../../state-dict-keys.ts';
import type { PictureHead } from './picture-head.ts';
import { pictureHead, readPictureHead } from './picture-head.ts';
import { colorRange, LAYER_NORM_EPSILON, mlp, residualConv } from './transformer-parts.ts';

const FIRST_BLOCK = 'layers.0.residual_group.blocks.0';

/** What the keys and shapes tell. */
interface SwinirSize {
  readonly window: number;
  /** The picture's pixels are folded into channels by this first (DiffBIR's cleaner); else 1. */
  readonly unshuffle: number;
  readonly range: number;
  readonly head: PictureHead;
}

/** The cuts and positions that all blocks share: of even ones, and of odd ones, which are shifted by half a window. */
interface SharedWindows {
  readonly even: Windows;
  readonly odd: Windows;
  /** Rows of the tables of relative positions. */
  readonly positions: Value;
}

/**
 * SwinIR (arXiv:2108.10257): groups of transformer blocks with attention in windows, every second of them shifted; classical,
 * lightweight and real-world super-resolution, denoising, JPEG artefacts. Reference: models/network_swinir.py.
 */
export const swinir: Architecture = {
  name: 'SwinIR',
  looksFor: `SwinIR: conv_first + ${FIRST_BLOCK}.attn.relative_position_index`,

  detect: hasAll('conv_first', `${FIRST_BLOCK}.attn.relative_position_index`, `${FIRST_BLOCK}.mlp.fc1`),

  // Made anew for the size of the picture.
  ignores: (name) => name.endsWith('.attn_mask') || name.endsWith('.relative_position_index'),

  read(weights) {
    const unshuffle = weights.has('conv_first.1')
      ? Math.round(Math.sqrt(weights.dim('conv_first.1.weight', 1) / 3))
      : 1;
    const first = unshuffle === 1 ? 'conv_first.weight' : 'conv_first.1.weight';
    const features = weights.dim(first, 0);
    const inputs = weights.dim(first, 1) / unshuffle ** 2;
    const head = readPictureHead(weights, inputs);
    const window = Math.sqrt(weights.dim(`${FIRST_BLOCK}.attn.relative_position_index`, 0));
    const size = { window, unshuffle, head, range: window === 7 ? 255 : 1 }; // only the JPEG models have a window of 7
    assertSound(size, inputs);
    const scale = head.upscale / unshuffle;
    return {
      scale,
      inputChannels: inputs,
      outputChannels: head.outputs,
      parameters: parametersOf(weights, { features, inputs }, size),
      multipleOf: window * unshuffle,
      halo: HALO_WINDOWS * window * unshuffle,
      sides: 'fixed',
      workingBytesPerPixel: (BYTES_PER_FEATURE * features + 4 * 3 * 64 * head.upscale ** 2) / unshuffle ** 2,
      int8Refusal: 'attention has no 8-bit form here',
      build: (image) => build(image, weights, size),
    } satisfies Network;
  },
};

/** Windows around a tile: what is further away changed it by one level of 255 at most, as measured on pseudo-random weights. */
const HALO_WINDOWS = 4;

/** What a block takes at once for every feature of a pixel: 120 bytes at 60 features, 70 at 240, as measured. */
const BYTES_PER_FEATURE = 100;

function assertSound({ window, unshuffle, head }: SwinirSize, inputs: number): void {
  const problem = [
    [!Number.isInteger(window), `windows of ${window ** 2} tokens, which is no square`],
    [!Number.isInteger(inputs), `a picture of ${inputs} channels`],
    [head.upscale % unshuffle !== 0, `pictures that are made smaller, by ${unshuffle} / ${head.upscale}`],
    [head.outputs !== inputs, `pictures of ${inputs} channels that become pictures of ${head.outputs}`],
  ].find(([isSo]) => isSo);
  if (problem) throw new UnknownNetworkError(`a SwinIR with ${String(problem[1])}; none is known`);
}

function parametersOf(
  weights: Weights,
  { features, inputs }: { readonly features: number; readonly inputs: number },
  { window, unshuffle, range, head }: SwinirSize,
): Network['parameters'] {
  const layers = weights.list('layers');
  const mask = `${FIRST_BLOCK.replace(/0$/, '1')}.attn_mask`;
  return {
    img_size: weights.has(mask) ? Math.floor(Math.sqrt(weights.dim(mask, 0)) * window) : 64,
    in_chans: inputs,
    embed_dim: features,
    depths: layers.map((layer) => layer.list('residual_group.blocks').length),
    num_heads: layers.map((layer) => layer.dim('residual_group.blocks.0.attn.relative_position_bias_table', 1)),
    window_size: window,
    mlp_ratio: weights.dim(`${FIRST_BLOCK}.mlp.fc1.bias`, 0) / features,
    qkv_bias: true,
    ape: false,
    patch_norm: true,
    upscale: head.upscale,
    img_range: range,
    upsampler: head.upsampler,
    resi_connection: weights.has('conv_after_body.0') ? '3conv' : '1conv',
    start_unshuffle: unshuffle,
  };
}

function build(image: Value, weights: Weights, { window, unshuffle, range, head }: SwinirSize): Value {
  const { enter, leave } = colorRange(range);
  const picture = enter(image);
  const first = unshuffle === 1 ? weights.at('conv_first') : weights.at('conv_first').at(1);
  const shallow = conv3x3(picture.pixelUnshuffle(unshuffle), first);
  const deep = residualConv(transformer(shallow, weights, window), weights.at('conv_after_body')).add(shallow);
  const output = pictureHead(deep, weights, head);
  return leave(head.upsampler === '' ? output.add(picture) : output);
}

/** The groups of blocks between two norms: [N, C, H, W] to the like. */
function transformer(map: Value, weights: Weights, window: number): Value {
  const [height, width] = [map.size(2), map.size(3)];
  const layout = { height, width, window: [window, window] } as const;
  const half = Math.floor(window / 2);
  const shared: SharedWindows = {
    even: new Windows(map.graph, layout),
    odd: new Windows(map.graph, { ...layout, shift: [half, half] }),
    positions: relativePositions(map.graph, [window, window]),
  };
  const entered = layerNorm(toTokens(map), weights.at('patch_embed.norm'), LAYER_NORM_EPSILON);
  const left = weights.list('layers').reduce((x, layer) => {
    const blocks = layer.list('residual_group.blocks');
    const y = blocks.reduce(
      (z, block, index) => swinBlock(z, block, index % 2 === 0 ? shared.even : shared.odd, shared.positions),
      x,
    );
    return toTokens(residualConv(toMap(y, map), layer.at('conv'))).add(x);
  }, entered);
  return toMap(layerNorm(left, weights.at('norm'), LAYER_NORM_EPSILON), map);
}

/** Attention in windows, then an MLP, each with a norm in front and added to what went in: [N, H W, C] to the like. */
function swinBlock(x: Value, weights: Weights, windows: Windows, positions: Value): Value {
  const norm = (y: Value, name: string): Value => layerNorm(y, weights.at(name), LAYER_NORM_EPSILON);
  const attended = windowAttention(windows.partition(norm(x, 'norm1')), weights.at('attn'), windows, positions);
  const y = windows.merge(attended).add(x);
  return mlp(norm(y, 'norm2'), weights.at('mlp')).add(y);
}

function windowAttention(x: Value, weights: Weights, windows: Windows, positions: Value): Value {
  const { graph } = x;
  const rows = (2 * Math.sqrt(windows.tokens) - 1) ** 2;
  const table = graph.weight(weights.take('relative_position_bias_table', [rows, null]));
  const bias = positionBias(table, positions, [windows.tokens, windows.tokens]);
  const scores = { heads: table.size(1), bias, mask: windows.mask };
  return linear(attendInWindows(queryKeyValue(x, weights.at('qkv')), scores), weights.at('proj'));
}
