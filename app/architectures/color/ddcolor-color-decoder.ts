import type { AttentionInputs } from '../../onnx/attention.ts';
import { multiHeadAttention } from '../../onnx/attention.ts';
import { chain } from '../../onnx/chain.ts';
import { GraphError } from '../../onnx/errors.ts';
import { linear } from '../../onnx/linear.ts';
import { layerNorm } from '../../onnx/normalization.ts';
import type { Value } from '../../onnx/value.ts';
import type { Weights } from '../../onnx/weights.ts';

/** Of every LayerNorm here. */
const EPSILON = 1e-5;

/** Attention heads: not in the file, and always this many. */
export const COLOR_HEADS = 8;

/** One scale of the picture as tokens, row by row: [N, H W, E] each. */
interface Memory {
  readonly tokens: Value;
  /** The tokens with their positions added: by these they are found. */
  readonly keys: Value;
}

/**
 * DDColor's transformer: learned queries look at the scales of the picture in turn, and at one another, and become colours,
 * [N, queries, E]. Norms come after their steps. Reference: MultiScaleColorDecoder in ddcolor/model.py.
 * @param scales feature maps of known size, one for every row of `level_embed`
 */
export function colorEmbeddings(scales: readonly [Value, ...Value[]], weights: Weights): Value {
  const memories = scales.map((scale, level) => memoryOf(scale, weights, level));
  const learned = (name: string): Value =>
    scales[0].graph.weight(weights.at(name).take('weight', [null, null])).unsqueeze(0);
  const places = learned('query_embed');

  const layers = weights.indices('transformer_cross_attention_layers');
  const colors = chain(learned('query_feat'), layers, (x, layer) => {
    const at = (kind: string): Weights => weights.at(`transformer_${kind}_layers`).at(layer);
    const memory = memories[layer % memories.length];
    if (!memory) throw new GraphError('DDColor: the colour decoder has no scale to look at');
    const looking = { query: x.add(places), key: memory.keys, value: memory.tokens };
    const seen = attentionStep(x, looking, at('cross_attention'));
    const placed = seen.add(places);
    const agreed = attentionStep(seen, { query: placed, key: placed, value: seen }, at('self_attention'));
    return feedForwardStep(agreed, at('ffn'));
  });

  const normal = layerNorm(colors, weights.at('decoder_norm'), EPSILON);
  return weights.list('color_embed.layers').reduce((x, layer, i) => linear(i === 0 ? x : x.relu(), layer), normal);
}

/** Adds what attention finds. The reference names the same module differently in its two kinds of layers. */
function attentionStep(x: Value, inputs: AttentionInputs, weights: Weights): Value {
  const attention = weights.at(weights.has('self_attn') ? 'self_attn' : 'multihead_attn');
  return layerNorm(x.add(multiHeadAttention(inputs, attention, COLOR_HEADS)), weights.at('norm'), EPSILON);
}

function feedForwardStep(x: Value, weights: Weights): Value {
  const change = linear(linear(x, weights.at('linear1')).relu(), weights.at('linear2'));
  return layerNorm(x.add(change), weights.at('norm'), EPSILON);
}

function memoryOf(scale: Value, weights: Weights, level: number): Memory {
  const { graph } = scale;
  const [n, height, width] = [scale.size(0), scale.size(2), scale.size(3)];
  const levels = graph.weight(weights.at('level_embed').take('weight', [null, null]));
  const pixels = scale.conv(weights.at('input_proj').at(level)).transpose([0, 2, 3, 1]); // [N, H, W, E]
  const features = pixels.size(3);
  const tokens = pixels.add(levels.slice(0, level, level + 1));
  // The first half of the features tells the row, the second the column.
  const rows = sines(height, features / 2).flatMap((row) => [...row, ...zeros(features / 2)]);
  const columns = sines(width, features / 2).flatMap((column) => [...zeros(features / 2), ...column]);
  const keys = tokens
    .add(graph.constant(rows, [height, 1, features]))
    .add(graph.constant(columns, [1, width, features]));
  const flat = [n, height * width, features];
  return { tokens: tokens.reshape(flat), keys: keys.reshape(flat) };
}

/**
 * DETR's position code of `count` places along a side, normalised to one turn: sines and cosines in turn, of wave lengths that
 * grow to 10000 turns (arXiv:2005.12872). Places count from 1.
 */
function sines(count: number, features: number): number[][] {
  return Array.from({ length: count }, (_, index) => {
    const angle = ((index + 1) / (count + 1e-6)) * 2 * Math.PI;
    return Array.from({ length: features }, (__, i) => {
      const turned = angle / 10_000 ** ((2 * Math.floor(i / 2)) / features);
      return i % 2 === 0 ? Math.sin(turned) : Math.cos(turned);
    });
  });
}

function zeros(count: number): number[] {
  return new Array<number>(count).fill(0);
}
