import type { AttentionInputs } from '../../../onnx/attention.ts';
import { linear } from '../../../onnx/linear.ts';
import { argMax } from '../../../onnx/lookup.ts';
import { layerNorm, unitLength } from '../../../onnx/normalization.ts';
import { gatherRows, stableOrder } from '../../../onnx/sort.ts';
import type { Value } from '../../../onnx/value.ts';
import { attendInWindows, logitScale, queryKeyValue } from '../../../onnx/windows/window-attention.ts';
import type { Weights } from '../../../onnx/weights.ts';
import type { Architecture, Network } from '../../architecture.ts';
import { cropTo, padSymmetric } from '../../padding.ts';
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
import { convFeedForward, LAYER_NORM_EPSILON } from './transformer-parts.ts';

const FIRST_LAYER = 'layers.0.residual_group.layers.0';
const TABLE = 'relative_position_bias_table';

interface AtdSize {
  readonly window: number;
  /** Pixels that see one another, at most, of those that are sorted by their token. */
  readonly category: number;
}

/** A map of the picture's sides, and what its layers share. */
interface AtdShared extends Pick<AtdSize, 'category'> {
  readonly map: Value;
  readonly windows: SwinWindows;
}

/**
 * ATD (arXiv:2401.08209): attention in windows, to a dictionary of tokens that is refined from layer to layer, and among pixels that are nearest
 * to the same token, wherever they lie. Reference: LabShuHangGU/Adaptive-Token-Dictionary, basicsr/archs/atd_arch.py.
 */
export const atd: Architecture = {
  name: 'ATD',
  looksFor: `ATD: conv_first + layers.0.residual_group.td + ${FIRST_LAYER}.attn_atd`,

  detect: hasAll('conv_first', `${FIRST_LAYER}.attn_atd`, `${FIRST_LAYER}.attn_aca`),

  // Made anew for the size of the picture; and a mark.
  ignores: (name) => name === 'relative_position_index_SA' || name === 'no_norm' || name.endsWith('attn_mask'),

  read(weights) {
    const frame = { ...readSwinFrame(weights, 'ATD'), hasNoMean: weights.has('no_norm') || weights.hasMark('no_norm') };
    const table = `${FIRST_LAYER}.attn_win.${TABLE}`;
    const window = windowOfTable(weights, table, 'ATD');
    const parameters = parametersOf(weights, frame, window);
    const category = categoryOf(frame);
    return {
      ...squareNetwork(frame, { window, haloWindows: HALO_WINDOWS, bytesPerFeature: BYTES_PER_FEATURE }),
      parameters: { ...parameters, category_size: category, norm: !frame.hasNoMean },
      padding: 'own',
      tiling: 'whole-image-preferred',
      build: (image) => {
        const toMultiple = (side: number): number => Math.ceil(side / window) * window;
        const [height, width] = [image.size(2), image.size(3)];
        const padded = padSymmetric(image, toMultiple(height), toMultiple(width));
        const whole = inSwinFrame(padded, weights, frame, (map) =>
          transformer(map, weights, frame, { window, category }),
        );
        return cropTo(whole, height * frame.head.upscale, width * frame.head.upscale);
      },
    } satisfies Network;
  },
};

/** Windows around a tile. Pixels of one category see one another over the whole picture, so tiles differ whatever they see. */
const HALO_WINDOWS = 2;

/** What a layer takes at once for every feature of a pixel, most of it scores of attention, by estimate. */
const BYTES_PER_FEATURE = 200;

/** Not in the file: 128 in the light network, else 256. */
function categoryOf({ features, head }: SwinFrame): number {
  return head.upsampler === 'pixelshuffledirect' && features === 48 ? 128 : 256;
}

function parametersOf(weights: Weights, frame: SwinFrame, window: number): Network['parameters'] {
  const layers = weights.list('layers');
  const first = weights.at(FIRST_LAYER);
  return {
    ...swinParameters(weights, frame),
    img_size: 64,
    depths: layers.map((layer) => layer.list('residual_group.layers').length),
    num_heads: layers.map((layer) => layer.dim(`residual_group.layers.0.attn_win.${TABLE}`, 1)),
    window_size: window,
    num_tokens: first.dim('attn_atd.scale', 0),
    reducted_dim: first.dim('attn_atd.wq.weight', 0),
    convffn_kernel_size: first.dim('convffn.dwconv.depthwise_conv.0.weight', 2),
    mlp_ratio: first.dim('convffn.fc1.weight', 0) / frame.features,
  };
}

/** The groups of layers, each of which starts with a dictionary of its own: [N, C, H, W] to the like. */
function transformer(map: Value, weights: Weights, { hasBias }: SwinFrame, { window, category }: AtdSize): Value {
  const shared = { map, category, windows: swinWindows(map, window, hasBias) };
  return betweenNorms(map, weights, (x, layer) => {
    const group = layer.at('residual_group');
    const layers = group.list('layers');
    const { graph } = map;
    const entries = layers[0]?.dim('attn_atd.scale', 0) ?? 0;
    let tokens = graph.weight(group.take('td', [entries, x.size(2)])).unsqueeze(0);
    let y = x;
    layers.forEach((at, index) => {
      const seen = atdLayer(y, tokens, at, { ...shared, isShifted: index % 2 === 1 });
      if (index < layers.length - 1) tokens = refined(tokens, seen.output, seen.similarity, at);
      y = seen.output;
    });
    return groupConv(y, x, layer, map);
  });
}

/** Three kinds of attention, then an MLP with a convolution, each with a norm in front and added to what went in. */
function atdLayer(
  x: Value,
  tokens: Value,
  weights: Weights,
  { map, windows, category, isShifted }: AtdShared & { readonly isShifted: boolean },
): { readonly output: Value; readonly similarity: Value } {
  const normed = layerNorm(x, weights.at('norm1'), LAYER_NORM_EPSILON);
  const inputs = queryKeyValue(normed, weights.at('wqkv'), windows);
  const dictionary = dictionaryAttention(normed, tokens, weights.at('attn_atd'), windows);
  const heads = weights.dim(`attn_win.${TABLE}`, 1);
  const byCategory = categoryAttention(inputs, dictionary.similarity, weights.at('attn_aca'), {
    category,
    heads,
    hasBias: windows.hasBias,
  });
  const cut = isShifted ? windows.shifted : windows.plain;
  const { query, key, value } = inputs;
  const inWindows = { query: cut.partition(query), key: cut.partition(key), value: cut.partition(value) };
  const near = cut.merge(swinAttention(inWindows, weights.at('attn_win'), cut, windows.positions));
  const y = x.add(near).add(dictionary.output).add(byCategory);
  const mixed = convFeedForward(layerNorm(y, weights.at('norm2'), LAYER_NORM_EPSILON), weights.at('convffn'), map);
  return { output: y.add(mixed), similarity: dictionary.similarity };
}

/** Pixels [N, H W, C] to the tokens of the dictionary [1 or N, tokens, C]; `similarity` is [N, H W, tokens]. */
function dictionaryAttention(
  x: Value,
  tokens: Value,
  weights: Weights,
  bias: Pick<SwinWindows, 'hasBias'>,
): { readonly output: Value; readonly similarity: Value } {
  const { graph } = x;
  const entries = tokens.size(1);
  const [query, key] = [linear(x, weights.at('wq'), bias), linear(tokens, weights.at('wk'), bias)];
  const cosines = unitLength(query, 2).matmul(unitLength(key, 2).transpose([0, 2, 1]));
  const scale = graph
    .weight(weights.take('scale', [entries]))
    .clip(0, 1)
    .scale(Math.log(entries));
  const similarity = cosines.multiply(scale.add(graph.constant(1))).softmax();
  return { output: similarity.matmul(linear(tokens, weights.at('wv'), bias)), similarity };
}

/**
 * Pixels sorted by the token that each is nearest to, and cut into groups, within which they see one another. The last group is filled with
 * the end of the list, mirrored.
 */
function categoryAttention(
  { query, key, value }: AttentionInputs,
  similarity: Value,
  weights: Weights,
  { category, heads, hasBias }: { readonly category: number; readonly heads: number; readonly hasBias: boolean },
): Value {
  const { graph } = query;
  const [n, count, features] = [query.size(0), query.size(1), query.size(2)];
  const size = Math.min(count, category);
  const groups = Math.ceil(count / size);
  const order = stableOrder(argMax(similarity, 2));
  const filled = Array.from({ length: groups * size }, (_, at) => (at < count ? at : 2 * count - 1 - at));
  const rows = order.sorted.gather(1, filled);
  const grouped = (x: Value): Value => gatherRows(x, rows).reshape([n * groups, size, features]);
  const inputs = { query: grouped(query), key: grouped(key), value: grouped(value) };
  const attended = attendInWindows(inputs, { heads, logitScale: logitScale(graph, weights, [1, 1]) });
  const inOrder = attended.reshape([n, groups * size, features]);
  return linear(gatherRows(inOrder, order.places), weights.at('proj'), { hasBias });
}

/** The dictionary, partly replaced by means of the pixels, weighed by their similarity to each token. */
function refined(tokens: Value, x: Value, similarity: Value, weights: Weights): Value {
  const { graph } = x;
  const entries = tokens.size(1);
  const norm = weights.at('norm3');
  const operands = ['weight', 'bias'].map((name) => graph.weight(norm.take(name, [entries])));
  const byToken = similarity.transpose([0, 2, 1]);
  const attributes = { epsilon: { float: 1e-5 } };
  const normed = graph.node({ op: 'InstanceNormalization', inputs: [byToken, ...operands], attributes }, byToken.shape);
  const kept = graph.weight(weights.take('sigma', [entries, 1])).sigmoid();
  const mean = normed.softmax().matmul(x);
  return tokens.multiply(kept).add(mean.multiply(graph.constant(1).subtract(kept)));
}
