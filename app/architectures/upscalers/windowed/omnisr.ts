import { chain } from '../../../onnx/chain.ts';
import { conv1x1, conv3x3, convolve, depthwiseConv } from '../../../onnx/convolution.ts';
import { transposedAttention } from '../../../onnx/channel-attention.ts';
import { gatedFeedForward } from '../../../onnx/feed-forward.ts';
import { project } from '../../../onnx/linear.ts';
import type { PartKind, PartSides } from '../../../onnx/map-parts.ts';
import { cutParts, joinParts } from '../../../onnx/map-parts.ts';
import { layerNorm, layerNorm2d } from '../../../onnx/normalization.ts';
import { globalAveragePool, maxPool } from '../../../onnx/pooling.ts';
import { resizeBilinearTo } from '../../../onnx/resize.ts';
import { toMap, toTokens } from '../../../onnx/tokens.ts';
import type { Value } from '../../../onnx/value.ts';
import {
  attendInWindows,
  positionBias,
  queryKeyValue,
  relativePositions,
} from '../../../onnx/windows/window-attention.ts';
import type { Weights } from '../../../onnx/weights.ts';
import type { Architecture, Network } from '../../architecture.ts';
import { cropTo, padMirrored, padToMultiple } from '../../padding.ts';
import { hasAll } from '../../state-dict-keys.ts';
import { pixelShuffleHead } from '../pixel-shuffles.ts';
import { windowOfTable } from './swin-frame.ts';
import { LAYER_NORM_EPSILON } from './transformer-parts.ts';

const FIRST_BLOCK = 'residual_layer.0.residual_layer.0.layer';
const POSITIONS = 'rel_pos_bias.weight';
const NO_BIAS = { bias: false } as const;

/** What the keys and shapes tell, and blocks cannot see in their own tensors. */
interface OmniSrSize {
  readonly window: number;
  readonly hasPositions: boolean;
  /** Whether the convolutions around the blocks have biases. */
  readonly hasBias: boolean;
}

/** Neither is in the file. */
const HEADS = 4;
const MAP_NORM_EPSILON = 1e-6;

/** The least side that the convolutions and pools of spatial attention, which have no padding, leave a pixel of. */
const MIN_SIDE = 15;

/**
 * OmniSR (arXiv:2304.10244): attention over pixels and over channels, first within blocks, then over a grid that spans the whole picture.
 * Reference: Francis0625/Omni-SR, components/OmniSR.py.
 */
export const omniSr: Architecture = {
  name: 'OmniSR',
  looksFor: `OmniSR: input + up.0 + ${FIRST_BLOCK}.0.fn.0`,

  detect: hasAll('input', 'up.0', `${FIRST_BLOCK}.0.fn`),

  // What a profiler left.
  ignores: (name) => /(^|\.)total_(ops|params)$/.test(name),

  read(weights) {
    const [features, inputs] = [weights.dim('input.weight', 0), weights.dim('input.weight', 1)];
    const { channels, factor } = pixelShuffleHead(weights, 'up.0.weight', inputs);
    const size = sizeOf(weights);
    return {
      scale: factor,
      inputChannels: inputs,
      outputChannels: channels,
      parameters: {
        num_in_ch: inputs,
        num_out_ch: channels,
        num_feat: features,
        block_num: weights.list('residual_layer.0.residual_layer').length - 1,
        pe: size.hasPositions,
        window_size: size.window,
        res_num: weights.list('residual_layer').length,
        up_scale: factor,
      },
      multipleOf: size.window,
      padding: 'own',
      halo: 4 * size.window,
      tiling: 'whole-image-preferred',
      sides: 'fixed',
      workingBytesPerPixel: 4 * (LIVE_TENSORS * features + 4 * channels * factor ** 2),
      build: (image) => build(image, weights, size, factor),
    } satisfies Network;
  },
};

/** Feature maps at full size that a run takes memory for, as measured on 128 x 128 and 256 x 256 pixels. */
const LIVE_TENSORS = 45;

function sizeOf(weights: Weights): OmniSrSize {
  const blocks = weights
    .list('residual_layer')
    .flatMap((group) => group.list('residual_layer').slice(0, -1))
    .map((block) => block.at('layer'));
  const attentions = blocks.flatMap((layer) => [2, 8].map((index) => layer.at(index).at('fn')));
  const table = attentions.find((attention) => attention.has(POSITIONS));
  const window = table ? windowOfTable(table, POSITIONS, 'OmniSR') : UNTOLD_WINDOW;
  const hasBias = ['input', 'output', 'up.0'].some((conv) => weights.has(`${conv}.bias`));
  return { window, hasPositions: table !== undefined, hasBias };
}

/** Of networks without positions, which do not tell it. */
const UNTOLD_WINDOW = 8;

function build(image: Value, weights: Weights, size: OmniSrSize, scale: number): Value {
  const [height, width] = [image.size(2), image.size(3)];
  // Where the zeros to whole windows make a side long enough, nothing else is added.
  const enough = (side: number): number => (Math.ceil(side / size.window) * size.window < MIN_SIDE ? MIN_SIDE : side);
  const large = padMirrored(image, enough(height), enough(width));
  const conv = (x: Value, at: Weights, outputs: number | null): Value =>
    size.hasBias ? conv3x3(x, at, outputs) : unbiased(x, at, outputs, 3);
  const shallow = conv(padToMultiple(large, size.window, 'zeros'), weights.at('input'), null);
  const deep = chain(shallow, weights.list('residual_layer'), (x, layer) => group(x, layer, size));
  const features = conv(deep, weights.at('output'), shallow.size(1)).add(shallow);
  return cropTo(conv(features, weights.at('up').at(0), null).pixelShuffle(scale), height * scale, width * scale);
}

function unbiased(x: Value, weights: Weights, outputs: number | null, side: number): Value {
  return convolve(x, { weight: x.graph.weight(weights.take('weight', [outputs, x.size(1), side, side])) });
}

/** Blocks, a convolution behind them, and attention to places. */
function group(x: Value, weights: Weights, size: OmniSrSize): Value {
  const layers = weights.list('residual_layer');
  const [last = weights, blocks] = [layers.at(-1), layers.slice(0, -1)];
  const deep = chain(x, blocks, (y, block) => omniBlock(y, block.at('layer'), size));
  const behind = size.hasBias ? conv1x1(deep, last, x.size(1)) : unbiased(deep, last, x.size(1), 1);
  return spatialAttention(behind.add(x), weights.at('esa'));
}

/** Enhanced spatial attention (arXiv:2009.11551): how much of each place passes, seen from a ninth of the pixels and in the pixel itself. */
function spatialAttention(x: Value, weights: Weights): Value {
  const narrow = conv1x1(x, weights.at('conv1'));
  const halved = narrow.conv(weights.at('conv2'), { stride: 2, padding: 0 });
  const far = conv3x3(maxPool(halved, { kernel: [7, 7], stride: 3 }), weights.at('conv3'));
  const seen = resizeBilinearTo(far, x.size(2), x.size(3)).add(conv1x1(narrow, weights.at('conv_f')));
  return x.multiply(conv1x1(seen, weights.at('conv4'), x.size(1)).sigmoid());
}

/** Convolutions; attention over pixels and over channels in blocks; both again over the grid. */
function omniBlock(x: Value, weights: Weights, { window, hasPositions }: OmniSrSize): Value {
  const square = [window, window] as const;
  const inSquares = { sides: square, hasPositions };
  const grid = [x.size(2) / window, x.size(3) / window] as const;
  const local = squeezedConv(x, weights.at(0).at('fn'));
  const inBlocks = feedForward(pixelAttention(local, weights.at(2), 'blocks', inSquares), weights.at(4));
  const ofBlocks = feedForward(channelAttention(inBlocks, weights.at(5), 'blocks', square), weights.at(6));
  const overGrid = feedForward(pixelAttention(ofBlocks, weights.at(8), 'interleaved', inSquares), weights.at(10));
  return feedForward(channelAttention(overGrid, weights.at(11), 'interleaved', grid), weights.at(12));
}

/** 1x1, depthwise 3x3, squeeze and excitation with a SiLU between, 1x1, added to what went in. */
function squeezedConv(x: Value, weights: Weights): Value {
  const wide = conv1x1(x, weights.at(0)).gelu();
  const spread = depthwiseConv(wide, weights.at(2)).gelu();
  const gate = weights.at(4).at('gate');
  const channels = spread.size(1);
  const mean = globalAveragePool(spread).reshape([x.size(0), channels]);
  const weight = (name: number, shape: readonly (number | null)[]): Value =>
    x.graph.weight(gate.at(name).take('weight', shape));
  const squeezed = project(mean, weight(1, [null, channels]));
  const excited = project(squeezed.multiply(squeezed.sigmoid()), weight(3, [channels, squeezed.size(1)]));
  const gates = excited.sigmoid().reshape([x.size(0), channels, 1, 1]);
  return conv1x1(spread.multiply(gates), weights.at(5), x.size(1)).add(x);
}

function feedForward(x: Value, weights: Weights): Value {
  return gatedFeedForward(layerNorm2d(x, weights.at('norm'), MAP_NORM_EPSILON), weights.at('fn'), NO_BIAS).add(x);
}

/** Every pixel of a part against all others of it. */
function pixelAttention(
  x: Value,
  weights: Weights,
  kind: PartKind,
  { sides, hasPositions }: { readonly sides: PartSides; readonly hasPositions: boolean },
): Value {
  const parts = cutParts(x, kind, sides);
  const tokens = toTokens(parts);
  const attention = weights.at('fn');
  const normed = layerNorm(tokens, weights.at('norm'), LAYER_NORM_EPSILON);
  const scores = { heads: HEADS, bias: hasPositions ? biasOf(x, attention, sides) : undefined };
  const attended = attendInWindows(queryKeyValue(normed, attention.at('to_qkv'), { hasBias: false }), scores);
  const out = x.graph.weight(
    attention
      .at('to_out')
      .at(0)
      .take('weight', [x.size(1), x.size(1)]),
  );
  return joinParts(toMap(project(attended, out).add(tokens), parts), kind, x);
}

function biasOf({ graph }: Value, attention: Weights, sides: PartSides): Value {
  const [rows, tokens] = [(2 * sides[0] - 1) * (2 * sides[1] - 1), sides[0] * sides[1]];
  const table = graph.weight(attention.take(POSITIONS, [rows, HEADS]));
  return positionBias(table, relativePositions(graph, sides), [tokens, tokens]);
}

/** Every channel of a part against all others of its head. */
function channelAttention(x: Value, weights: Weights, kind: PartKind, sides: PartSides): Value {
  const attention = weights.at('fn');
  const channels = x.size(1);
  const normed = layerNorm2d(x, weights.at('norm'), MAP_NORM_EPSILON);
  const spread = depthwiseConv(normed.conv(attention.at('qkv'), NO_BIAS), attention.at('qkv_dwconv'), NO_BIAS);
  const part = (index: number): Value =>
    cutParts(spread.slice(1, index * channels, (index + 1) * channels), kind, sides);
  const attended = transposedAttention({ query: part(0), key: part(1), value: part(2) }, attention);
  return joinParts(attended, kind, x).conv(attention.at('project_out'), NO_BIAS).add(x);
}
