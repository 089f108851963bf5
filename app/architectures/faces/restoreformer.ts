import { chain } from '../../onnx/chain.ts';
import { project } from '../../onnx/linear.ts';
import { argMin, lookUp } from '../../onnx/lookup.ts';
import type { Value } from '../../onnx/value.ts';
import type { Weights } from '../../onnx/weights.ts';
import type { Architecture, NamedValues, Network } from '../architecture.ts';
import { downsample, normalize, pixelAttention, pixelsOf, residualBlock, swish, tokensOf, upsample } from './vqgan.ts';
import { hasAll } from '../state-dict-keys.ts';

/** Attention heads, which the keys do not tell: the constructor's default. */
const HEADS = 8;

/**
 * RestoreFormer (arXiv:2201.06374): reads a face into small features, replaces each by the nearest entry of a codebook, and draws
 * the face from these while it attends to what was read. Takes and gives aligned faces, RGB in -1..1, as `output`; `indices` are
 * the entries. Reference: gfpgan/archs/restoreformer_arch.py.
 */
export const restoreFormer: Architecture = {
  name: 'RestoreFormer',
  looksFor: 'RestoreFormer: quant_conv + encoder.conv_in + encoder.down.0.block.0.norm1',

  detect: hasAll('quant_conv', 'encoder.conv_in', 'encoder.down.0.block.0'),

  // The norm of a second input, which the encoder's attention does not have.
  ignores: (name) => /^encoder\..*attn.*\.norm2\./.test(name),

  read(weights) {
    const levels = weights.list('encoder.down');
    const channels = weights.dim('encoder.conv_in.weight', 0);
    const latent = weights.dim('quant_conv.weight', 1);
    const encoded = weights.dim('encoder.conv_out.weight', 0);
    return {
      scale: 1,
      inputChannels: weights.dim('encoder.conv_in.weight', 1),
      outputChannels: weights.dim('decoder.conv_out.weight', 0),
      parameters: {
        n_embed: weights.dim('quantize.embedding.weight', 0),
        embed_dim: weights.dim('quantize.embedding.weight', 1),
        ch: channels,
        ch_mult: levels.map((level) => level.dim('block.0.conv1.weight', 0) / channels),
        num_res_blocks: weights.indices('encoder.down.0.block').length,
        attn_resolutions: levels.flatMap((level, index) => (level.has('attn') ? [SIDE / 2 ** index] : [])),
        z_channels: latent,
        double_z: encoded === 2 * latent,
        head_size: HEADS,
      },
      role: 'face-restorer',
      side: SIDE,
      multipleOf: 1,
      halo: 0,
      workingBytesPerPixel: 3000,
      build: (image) => build(image, weights),
    } satisfies Network;
  },
};

/** Width and height of the faces it was made for; the keys do not tell. */
const SIDE = 512;

/** What the encoder saw at its end, for the decoder to attend to. */
interface Seen {
  /** After its last block. */
  readonly middle: Value;
  /** Before the attention in its middle. */
  readonly deepest: Value;
}

function build(image: Value, weights: Weights): NamedValues {
  const { features, seen } = encode(image, weights.at('encoder'));
  const latent = features.conv(weights.at('quant_conv'));
  const { codes, entries } = quantize(latent, weights.at('quantize.embedding'));
  const output = decode(entries.conv(weights.at('post_quant_conv')), seen, weights.at('decoder'));
  return { output, indices: codes.cast('int32').reshape([codes.size(0) * codes.size(1)]) };
}

function encode(image: Value, weights: Weights): { features: Value; seen: Seen } {
  const first = image.conv(weights.at('conv_in'));
  const deep = weights.list('down').reduce((x, level) => {
    const y = chain(x, level.list('block'), (z, _, index) => selfAttended(z, level, index));
    return level.has('downsample') ? downsample(y, level.at('downsample')) : y;
  }, first);
  const deepest = residualBlock(deep, weights.at('mid.block_1'), 'nin_shortcut');
  const attended = attention(deepest, deepest, weights.at('mid.attn_1'));
  const middle = residualBlock(attended, weights.at('mid.block_2'), 'nin_shortcut');
  return { features: lastConv(middle, weights), seen: { middle, deepest } };
}

/** Block `index` of an encoder's level, with attention where the level has it. */
function selfAttended(x: Value, level: Weights, index: number): Value {
  const y = residualBlock(x, level.at('block').at(index), 'nin_shortcut');
  return level.has(`attn.${index}`) ? attention(y, y, level.at('attn').at(index)) : y;
}

/** The entry of the codebook that is nearest to the features of each place. */
function quantize(latent: Value, weights: Weights): { codes: Value; entries: Value } {
  const book = latent.graph.weight(weights.take('weight', [null, latent.size(1)]));
  const lengths = book
    .multiply(book)
    .sum(1)
    .reshape([book.size(0)]);
  // |z - e|^2 but for |z|^2, which is the same for all entries.
  const distances = project(tokensOf(latent).scale(-2), book, lengths);
  const codes = argMin(distances, 2);
  return { codes, entries: pixelsOf(lookUp(book, codes), latent.size(2), latent.size(3)) };
}

function decode(latent: Value, seen: Seen, weights: Weights): Value {
  const first = residualBlock(latent.conv(weights.at('conv_in')), weights.at('mid.block_1'), 'nin_shortcut');
  const attended = attention(first, seen.middle, weights.at('mid.attn_1'));
  const middle = residualBlock(attended, weights.at('mid.block_2'), 'nin_shortcut');
  const drawn = weights.list('up').reduceRight((x, level) => {
    const y = chain(x, level.list('block'), (z, _, index) => {
      const deep = residualBlock(z, level.at('block').at(index), 'nin_shortcut');
      return level.has(`attn.${index}`) ? attention(deep, seen.deepest, level.at('attn').at(index)) : deep;
    });
    return level.has('upsample') ? upsample(y, level.at('upsample')) : y;
  }, middle);
  return lastConv(drawn, weights);
}

/** `asking` asks; `x` answers and is added to. A value asks itself after its own norm, another one after a second norm. */
function attention(x: Value, asking: Value, weights: Weights): Value {
  const answering = normalize(x, weights.at('norm1'));
  const question = asking === x ? answering : normalize(asking, weights.at('norm2'));
  return pixelAttention(x, { asking: question, answering, heads: HEADS }, weights);
}

function lastConv(x: Value, weights: Weights): Value {
  return swish(normalize(x, weights.at('norm_out'))).conv(weights.at('conv_out'));
}
