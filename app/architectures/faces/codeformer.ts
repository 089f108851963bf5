import { multiHeadAttention } from '../../onnx/attention.ts';
import { chain } from '../../onnx/chain.ts';
import { linear, project } from '../../onnx/linear.ts';
import { argMax, lookUp } from '../../onnx/lookup.ts';
import { layerNorm } from '../../onnx/normalization.ts';
import type { Value } from '../../onnx/value.ts';
import type { Weights } from '../../onnx/weights.ts';
import type { Architecture, NamedValues, Network } from '../architecture.ts';
import { downsample, normalize, pixelAttention, pixelsOf, residualBlock, tokensOf, upsample } from './vqgan.ts';
import { hasAll } from '../state-dict-keys.ts';

/** Attention heads of the transformer, which the keys do not tell: the constructor's default. */
const HEADS = 8;

/**
 * CodeFormer (arXiv:2206.11253): reads a face into 16x16 features, lets a transformer name the entry of a codebook for each,
 * and draws the face from these; `w` in 0..1 (the fidelity) is how much of the features read on the way is mixed in. Takes and
 * gives aligned faces, RGB in -1..1, as `output`; `logits`, `top_idx` (the entries) and `lq_feat` (the features) are there to be
 * looked at. Colours are those of the features read (`adain`), as the reference's pipeline has it.
 * Reference: basicsr/archs/codeformer_arch.py.
 */
export const codeFormer: Architecture = {
  name: 'CodeFormer',
  looksFor: 'CodeFormer: position_emb + idx_pred_layer.1 + quantize.embedding + encoder.blocks.0',

  detect: hasAll('idx_pred_layer', 'encoder.blocks.0', 'ft_layers.0'),

  read(weights) {
    const tokens = weights.dim('position_emb', 0);
    const blocks = weights.list('encoder.blocks');
    return {
      scale: 1,
      inputChannels: weights.dim('encoder.blocks.0.weight', 1),
      outputChannels: weights.dim(`generator.blocks.${weights.indices('generator.blocks').length - 1}.weight`, 0),
      parameters: {
        dim_embd: weights.dim('position_emb', 1),
        n_head: HEADS,
        n_layers: weights.indices('ft_layers').length,
        codebook_size: weights.dim('quantize.embedding.weight', 0),
        latent_size: tokens,
        connect_list: weights.indices('fuse_convs_dict').map(String),
      },
      role: 'face-restorer',
      side: Math.sqrt(tokens) * 2 ** blocks.filter((block) => block.has('conv')).length,
      scalars: { w: 0.5 },
      multipleOf: 1,
      halo: 0,
      workingBytesPerPixel: 3000,
      build: (image, { w }) => build(image, w ?? image.graph.constant([0.5]), weights),
    } satisfies Network;
  },
};

function build(image: Value, fidelity: Value, weights: Weights): NamedValues {
  const { features, read } = encode(image, weights.list('encoder.blocks'));
  const logits = nameCodes(features, weights);
  const codes = argMax(logits, 2);
  const entries = lookUp(image.graph.weight(weights.take('quantize.embedding.weight')), codes);
  const drawn = adaptiveInstanceNorm(pixelsOf(entries, features.size(2), features.size(3)), features);
  const output = generate(drawn, { read, fidelity }, weights);
  return { output, logits, lq_feat: features, top_idx: codes.cast('int32').reshape([codes.size(0) * codes.size(1)]) };
}

/** Features of the whole face, and what was read on the way: the last features of every size, by their width. */
function encode(image: Value, blocks: readonly Weights[]): { features: Value; read: ReadonlyMap<number, Value> } {
  const read = new Map<number, Value>();
  const features = chain(image, blocks, (x, weights) => {
    if (!weights.has('conv')) return plainBlock(x, weights);
    read.set(x.size(3), x);
    return downsample(x, weights);
  });
  return { features, read };
}

/** One of the blocks that `blocks` of encoder and generator count through; what it is shows in its keys. */
function plainBlock(x: Value, weights: Weights): Value {
  if (weights.has('conv1')) return residualBlock(x, weights, 'conv_out');
  if (weights.has('q')) return attentionBlock(x, weights);
  return weights.shape('weight').length === 4 ? x.conv(weights) : normalize(x, weights);
}

function attentionBlock(x: Value, weights: Weights): Value {
  const normal = normalize(x, weights.at('norm'));
  return pixelAttention(x, { asking: normal, answering: normal, heads: 1 }, weights);
}

/** The likelihood of every entry of the codebook at every place: [N, places, entries]. */
function nameCodes(features: Value, weights: Weights): Value {
  const position = features.graph.weight(weights.take('position_emb', [features.size(2) * features.size(3), null]));
  const tokens = linear(tokensOf(features), weights.at('feat_emb'));
  const seen = chain(tokens, weights.list('ft_layers'), (x, layer) => transformerLayer(x, position, layer));
  const book = features.graph.weight(weights.take('idx_pred_layer.1.weight', [null, seen.size(2)]));
  return project(layerNorm(seen, weights.at('idx_pred_layer.0'), 1e-5), book);
}

function transformerLayer(x: Value, position: Value, weights: Weights): Value {
  const normal = layerNorm(x, weights.at('norm1'), 1e-5);
  const placed = normal.add(position);
  const inputs = { query: placed, key: placed, value: normal };
  const attended = x.add(multiHeadAttention(inputs, weights.at('self_attn'), HEADS));
  const hidden = linear(layerNorm(attended, weights.at('norm2'), 1e-5), weights.at('linear1')).gelu();
  return attended.add(linear(hidden, weights.at('linear2')));
}

/** `content` with the mean and the spread of `style`, channel by channel (arXiv:1703.06868). */
function adaptiveInstanceNorm(content: Value, style: Value): Value {
  const [from, to] = [statistics(content), statistics(style)];
  return content.subtract(from.mean).divide(from.deviation).multiply(to.deviation).add(to.mean);
}

/** Over height and width; the variance is the unbiased one. */
function statistics(x: Value): { mean: Value; deviation: Value } {
  const mean = x.mean(2, 3);
  const centred = x.subtract(mean);
  const variance = centred
    .multiply(centred)
    .sum(2, 3)
    .scale(1 / (x.size(2) * x.size(3) - 1));
  return { mean, deviation: variance.add(x.graph.constant(1e-5)).sqrt() };
}

/** Draws the face; after the first block of every size for which there are weights, what was read at it is mixed in. */
function generate(
  codes: Value,
  { read, fidelity }: { readonly read: ReadonlyMap<number, Value>; readonly fidelity: Value },
  weights: Weights,
): Value {
  let isNewSize = false;
  return chain(codes, weights.list('generator.blocks'), (x, blockWeights) => {
    if (blockWeights.has('conv')) {
      isNewSize = true;
      return upsample(x, blockWeights);
    }
    const drawn = plainBlock(x, blockWeights);
    const seen = isNewSize ? read.get(drawn.size(3)) : undefined;
    isNewSize = false;
    const fuseWeights = weights.at('fuse_convs_dict').at(drawn.size(3));
    return seen && fuseWeights.has('encode_enc') ? fuse(drawn, { seen, fidelity }, fuseWeights) : drawn;
  });
}

function fuse(
  drawn: Value,
  { seen, fidelity }: { readonly seen: Value; readonly fidelity: Value },
  weights: Weights,
): Value {
  const joined = residualBlock(seen.concat([drawn]), weights.at('encode_enc'), 'conv_out');
  const mapped = (name: string): Value =>
    joined.conv(weights.at(name).at(0)).leakyRelu(0.2).conv(weights.at(name).at(2));
  return drawn.add(drawn.multiply(mapped('scale')).add(mapped('shift')).multiply(fidelity));
}
