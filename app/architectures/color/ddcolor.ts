import { convolve } from '../../onnx/convolution.ts';
import { batchNorm } from '../../onnx/normalization.ts';
import { spectralConv, spectralWeight } from '../../onnx/kernels/weight-normalization.ts';
import { WeightsError } from '../../onnx/errors.ts';
import type { Value } from '../../onnx/value.ts';
import type { Weights } from '../../onnx/weights.ts';
import type { Architecture, Network } from '../architecture.ts';
import { convNextFeatures, convNextName, readConvNext } from './convnext.ts';
import { COLOR_HEADS, colorEmbeddings } from './ddcolor-color-decoder.ts';
import { shuffleAndBlur } from './icnr-upsample.ts';
import { hasAll, isBatchNormCounter } from '../state-dict-keys.ts';

/**
 * DDColor: a ConvNeXt encoder, a U-Net decoder for the pixels and a transformer decoder for a set of learned colours, whose
 * products are the chroma (arXiv:2212.11613). Takes gray as RGB in 0..1, gives a and b of Lab. Reference: ddcolor/model.py.
 */
export const ddcolor: Architecture = {
  name: 'DDColor',
  looksFor: 'DDColor: encoder.arch.downsample_layers.0.0.weight + refine_net.0.0.weight_orig',

  detect: hasAll('encoder.arch.downsample_layers', 'refine_net.0.0'),

  read(weights) {
    const size = readConvNext(weights.at('encoder.arch'));
    const colors = weights.at('decoder.color_decoder');
    const outputs = weights.dim('refine_net.0.0.weight_orig', 0);
    return {
      scale: 1,
      inputChannels: 3,
      outputChannels: outputs,
      parameters: {
        encoder_name: convNextName(size),
        decoder_name: 'MultiScaleColorDecoder',
        nf: weights.dim('decoder.layers.0.conv.0.weight_orig', 0),
        num_queries: colors.dim('query_feat.weight', 0),
        num_scales: colors.dim('level_embed.weight', 0),
        dec_layers: colors.indices('transformer_cross_attention_layers').length,
        nheads: COLOR_HEADS,
        last_norm: 'Spectral',
        num_output_channels: outputs,
        depths: size.depths,
        dims: size.dims,
      },
      multipleOf: 32,
      halo: 0,
      role: 'colorizer',
      workingBytesPerPixel: WORKING_BYTES,
      build: (image) => build(image, weights),
    } satisfies Network;
  },

  // The classifier that the encoder was trained with, and the norm in front of it.
  ignores: (name) =>
    name.startsWith('encoder.arch.head_cls.') || name.startsWith('encoder.arch.norm.') || isBatchNormCounter(name),
};

/** As measured at 512 x 512, for both sizes of the encoder. */
const WORKING_BYTES = 3200;

function build(image: Value, weights: Weights): Value {
  const { graph } = image;
  const [mean, std] = ['mean', 'std'].map((name) => graph.weight(weights.take(name, [1, 3, 1, 1]))) as [Value, Value];
  const normal = image.subtract(mean).divide(std);
  const features = convNextFeatures(normal, weights.at('encoder.arch'));
  const scales = decode(features, weights.at('decoder'));
  const colors = colorEmbeddings(scales, weights.at('decoder.color_decoder'));
  const finest = spectralConv(scales[2], weights.at('decoder.last_shuf.conv.0')).relu();
  return refine(normal, { colors, finest }, weights.at('refine_net.0.0'));
}

/** The U-Net's way up: maps of 1/16, 1/8 and 1/4 of the picture's size. */
function decode(features: readonly Value[], decoder: Weights): [Value, Value, Value] {
  const [quarter, eighth, sixteenth, deepest] = features;
  if (!quarter || !eighth || !sixteenth || !deepest) {
    throw new WeightsError(`encoder: expected a ConvNeXt of 4 stages, the file has ${features.length}`);
  }
  const x0 = unetBlock(deepest, sixteenth, decoder.at('layers').at(0));
  const x1 = unetBlock(x0, eighth, decoder.at('layers').at(1));
  return [x0, x1, unetBlock(x1, quarter, decoder.at('layers').at(2))];
}

/** Doubles the size, joins the encoder's map of that size, and convolves. */
function unetBlock(x: Value, skip: Value, weights: Weights): Value {
  const shuffle = weights.at('shuf.conv');
  const enlarged = shuffleAndBlur(batchNorm(spectralConv(x, shuffle.at(0), { bias: false }), shuffle.at(1)).relu(), 2);
  const joined = enlarged.concat([batchNorm(skip, weights.at('bn'))]).relu();
  return batchNorm(spectralConv(joined, weights.at('conv.0'), { bias: false }).relu(), weights.at('conv.2'));
}

/** What the two decoders give. */
interface Products {
  /** [N, queries, E] */
  readonly colors: Value;
  /** [N, E r r, H / r, W / r]: features of the pixels before their last pixel shuffle. */
  readonly finest: Value;
}

/**
 * The reference multiplies every colour with the full-size features (100 maps), appends the image and convolves that with a 1x1
 * kernel. All of it but the image is linear in the features, the last pixel shuffle and blur too, so the kernel is multiplied
 * with the colours first: two maps instead of 256 and 100 at full size.
 */
function refine(image: Value, { colors, finest }: Products, weights: Weights): Value {
  const { graph } = image;
  const [n, queries, features] = [colors.size(0), colors.size(1), colors.size(2)];
  const [height, width] = [finest.size(2), finest.size(3)];
  const kernel = spectralWeight(graph, weights);
  const [outputs, inputs] = [kernel.size(0), kernel.size(1)];
  const forPixels = { weight: kernel.slice(1, queries, inputs), bias: graph.weight(weights.take('bias', [outputs])) };
  const forColors = kernel.slice(1, 0, queries).squeeze(3).squeeze(2);

  const phases = finest.size(1) / features;
  const perColor = finest.reshape([n, features, phases * height * width]);
  const mixed = forColors
    .matmul(colors)
    .matmul(perColor)
    .reshape([n, outputs * phases, height, width]);
  return shuffleAndBlur(mixed, Math.sqrt(phases)).add(convolve(image, forPixels));
}
