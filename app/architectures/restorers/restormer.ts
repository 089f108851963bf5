import { chain } from '../../onnx/chain.ts';
import { transposedAttention } from '../../onnx/channel-attention.ts';
import type { ConvOptions } from '../../onnx/convolution.ts';
import { depthwiseConv } from '../../onnx/convolution.ts';
import { gatedFeedForward } from '../../onnx/feed-forward.ts';
import { layerNorm2d } from '../../onnx/normalization.ts';
import type { Value } from '../../onnx/value.ts';
import type { Weights } from '../../onnx/weights.ts';
import type { Architecture, Network } from '../architecture.ts';
import { hasAll } from '../state-dict-keys.ts';

const EPSILON = 1e-5;
/** Of the published models: their hidden features are this, rounded down. */
const USUAL_EXPANSION = 2.66;

/** Which layers have biases: all of a kind, or none. */
interface Biases {
  readonly conv: Pick<ConvOptions, 'bias'>;
  readonly norm: boolean;
}

/**
 * Restormer (arXiv:2111.09881): a U-Net whose blocks attend between channels: deraining, deblurring, denoising.
 * Reference: swz30/Restormer, restormer_arch.py.
 */
export const restormer: Architecture = {
  name: 'Restormer',
  looksFor: 'Restormer: patch_embed.proj + encoder_level1.0.attn.qkv_dwconv + refinement.0.norm1.body + output',

  detect: hasAll('encoder_level1.0.attn', 'refinement.0.attn'),

  read(weights) {
    const dim = weights.dim('patch_embed.proj.weight', 0);
    const inputs = weights.dim('patch_embed.proj.weight', 1);
    const outputs = weights.dim('output.weight', 0);
    const levels = ['encoder_level1', 'encoder_level2', 'encoder_level3', 'latent'];
    const biases = biasesOf(weights);
    const hidden = weights.dim('encoder_level1.0.ffn.project_out.weight', 1);
    return {
      scale: 1,
      inputChannels: inputs,
      outputChannels: outputs,
      parameters: {
        inp_channels: inputs,
        out_channels: outputs,
        dim,
        num_blocks: levels.map((level) => weights.list(level).length),
        num_refinement_blocks: weights.list('refinement').length,
        heads: levels.map((level) => weights.dim(`${level}.0.attn.temperature`, 0)),
        ffn_expansion_factor: hidden === Math.floor(dim * USUAL_EXPANSION) ? USUAL_EXPANSION : hidden / dim,
        ...(biases.conv.bias !== false && { bias: true }),
        ...(!biases.norm && { LayerNorm_type: 'BiasFree' }),
        dual_pixel_task: weights.has('skip_conv'),
      },
      multipleOf: 8,
      sides: 'fixed',
      halo: EFFECTIVE_FIELD,
      tiling: 'whole-image-preferred',
      workingBytesPerPixel: 4 * LIVE_TENSORS * dim,
      build: (image) => build(image, weights, biases),
    } satisfies Network;
  },
};

const EFFECTIVE_FIELD = 64;

/** Feature maps at full size that a run takes memory for, as measured on 128 x 128 and 256 x 256 pixels. */
const LIVE_TENSORS = 86;

/** By two layers of the first block: a file that lacks one of them is to be told so. */
function biasesOf(weights: Weights): Biases {
  const block = weights.at('encoder_level1.0');
  const hasAny = (...names: readonly string[]): boolean => names.some((name) => block.has(name));
  return {
    conv: hasAny('attn.qkv.bias', 'ffn.project_in.bias') ? {} : { bias: false },
    norm: hasAny('norm1.body.bias', 'norm2.body.bias'),
  };
}

function build(image: Value, weights: Weights, biases: Biases): Value {
  const { conv: bias } = biases;
  const level = (x: Value, key: string): Value => chain(x, weights.list(key), (y, block) => layer(y, block, biases));
  const down = (x: Value, key: string): Value =>
    x.conv(weights.at(key).at('body').at(0), { bias: false }).pixelUnshuffle(2);
  const up = (x: Value, key: string): Value =>
    x.conv(weights.at(key).at('body').at(0), { bias: false }).pixelShuffle(2);
  const reduce = (x: Value, key: string): Value => x.conv(weights.at(key), bias);

  const embedded = image.conv(weights.at('patch_embed.proj'), { bias: false });
  const first = level(embedded, 'encoder_level1');
  const second = level(down(first, 'down1_2'), 'encoder_level2');
  const third = level(down(second, 'down2_3'), 'encoder_level3');
  const latent = level(down(third, 'down3_4'), 'latent');
  const raised3 = level(reduce(up(latent, 'up4_3').concat([third]), 'reduce_chan_level3'), 'decoder_level3');
  const raised2 = level(reduce(up(raised3, 'up3_2').concat([second]), 'reduce_chan_level2'), 'decoder_level2');
  const refined = level(level(up(raised2, 'up2_1').concat([first]), 'decoder_level1'), 'refinement');
  if (weights.has('skip_conv')) return refined.add(reduce(embedded, 'skip_conv')).conv(weights.at('output'), bias);
  return refined.conv(weights.at('output'), bias).add(image);
}

function layer(x: Value, weights: Weights, { conv: bias, norm: isBiased }: Biases): Value {
  const norm = isBiased ? withBias : withoutBias;
  const attention = weights.at('attn');
  const seen = norm(x, weights.at('norm1.body')).conv(attention.at('qkv'), bias);
  const maps = depthwiseConv(seen, attention.at('qkv_dwconv'), bias);
  const features = x.size(1);
  const [query, key, value] = [0, 1, 2].map((part) => maps.slice(1, part * features, (part + 1) * features)) as [
    Value,
    Value,
    Value,
  ];
  const attended = transposedAttention({ query, key, value }, attention).conv(attention.at('project_out'), bias);
  const y = x.add(attended);
  return y.add(gatedFeedForward(norm(y, weights.at('norm2.body')), weights.at('ffn'), bias));
}

/** LayerNorm over the channels of every pixel. */
function withBias(x: Value, weights: Weights): Value {
  return layerNorm2d(x, weights, EPSILON);
}

/** The same without a bias, and without taking the mean off. */
function withoutBias(x: Value, weights: Weights): Value {
  const { graph } = x;
  const centred = x.subtract(x.mean(1));
  const deviation = centred.multiply(centred).mean(1).add(graph.constant(EPSILON)).sqrt();
  const scale = graph.weight(weights.take('weight', [x.size(1)])).reshape([1, x.size(1), 1, 1]);
  return x.divide(deviation).multiply(scale);
}
