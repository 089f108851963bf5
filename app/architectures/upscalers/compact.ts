import { chain, counted } from '../../onnx/chain.ts';
import { conv3x3 } from '../../onnx/convolution.ts';
import { WeightsError } from '../../onnx/errors.ts';
import type { Value } from '../../onnx/value.ts';
import type { Weights } from '../../onnx/weights.ts';
import type { Architecture, Network } from '../architecture.ts';
import { UnknownNetworkError } from '../errors.ts';
import { pixelShuffleHead } from './pixel-shuffles.ts';

/** The deepest that anybody trained has 64; thousands take seconds to load before there is a pixel. */
const MAX_CONVS = 500;

/**
 * SRVGGNetCompact: plain convolutions with PReLU, one pixel shuffle at the end, added to the enlarged input.
 * Reference: realesrgan/archs/srvgg_arch.py.
 */
export const compact: Architecture = {
  name: 'Compact',
  looksFor: 'SRVGGNetCompact: body.0.weight [C, in, 3, 3] + body.1.weight [C] (PReLU)',

  // A file of nothing but such layers that lacks one is to be told which.
  detect: (weights) =>
    weights.isOnly(/^body\.\d+\.(weight|bias)$/) ||
    (weights.has('body.0.weight') &&
      weights.has('body.1.weight') &&
      weights.shape('body.0.weight').length === 4 &&
      weights.shape('body.1.weight').length === 1),

  read(weights) {
    const activation = activationOf(weights);
    const last = lastLayer(weights, activation);
    if (last > 2 * MAX_CONVS) throw new UnknownNetworkError(`${last / 2} layers; at most ${MAX_CONVS} are run`);
    const inputs = weights.dim('body.0.weight', 1);
    const head = weights.dim(`body.${last}.weight`, 0);
    const isResidual = weights.setting('learn_residual') !== false;
    const { channels, factor } = toldHead(weights, head) ?? pixelShuffleHead(weights, `body.${last}.weight`, inputs);
    if (isResidual && channels !== inputs && inputs !== 1) {
      throw new UnknownNetworkError(
        `a head of ${head} channels after ${inputs} would be a picture of ${channels}, to which the input cannot be added`,
      );
    }
    return {
      scale: factor,
      inputChannels: inputs,
      outputChannels: channels,
      parameters: {
        num_in_ch: inputs,
        num_out_ch: channels,
        num_feat: weights.dim('body.0.weight', 0),
        num_conv: (last - 2) / 2,
        upscale: factor,
        act_type: activation,
        ...(!isResidual && { learn_residual: false }),
      },
      multipleOf: 1,
      halo: last / 2 + 1, // one pixel for every 3x3 convolution: the whole receptive field, so tiles are exact
      workingBytesPerPixel: 4 * (4 * weights.dim('body.0.weight', 0) + 5 * head),
      holdsHalf: true,
      int8Refusal: 'compact networks keep 25 to 40 dB only, and gain little',
      build(image) {
        const made = body(image, weights, { last, activation }).pixelShuffle(factor);
        return isResidual ? made.add(image.resizeNearest(factor)) : made;
      },
    } satisfies Network;
  },
};

/** What stands between the convolutions. */
type Activation = 'prelu' | 'relu' | 'leakyrelu';

/** Slope of the reference's LeakyReLU. */
const LEAK = 0.1;

/** PReLU has weights of its own; of the others, which have none, only the file's metadata can tell which it is. */
function activationOf(weights: Weights): Activation {
  const layers = weights.indices('body');
  if (layers.length < 2 || layers.some((index) => index % 2 === 1)) return 'prelu';
  const told = String(weights.setting('act_type') ?? '').toLowerCase();
  if (told === 'relu' || told === 'leakyrelu') return told;
  throw new UnknownNetworkError(
    `${weights.fileName}: a Compact whose activations have no weights: they are ReLU or LeakyReLU, and nothing in the file says which. It runs where the file's metadata has act_type ('relu' or 'leakyrelu'), as traiNNer-redux writes it`,
  );
}

/** The index of the last convolution. */
function lastLayer(weights: Weights, activation: Activation): number {
  const last = weights.indices('body').at(-1) ?? 0;
  const step = activation === 'prelu' ? 1 : 2;
  for (let index = 0; index <= last; index += step) weights.shape(`body.${index}.weight`); // a gap is a missing layer
  if (last % 2 === 1) throw new WeightsError(`body.${last + 1}.weight: missing; the last layer is a convolution`);
  return last;
}

/** What the metadata says of the head, where that fits it: the features alone may mean several things. */
function toldHead(weights: Weights, head: number): { channels: number; factor: number } | undefined {
  const [channels, factor] = [weights.setting('num_out_ch'), weights.setting('upscale')].map(Number);
  return channels && factor && channels * factor ** 2 === head ? { channels, factor } : undefined;
}

function body(image: Value, weights: Weights, how: { readonly last: number; readonly activation: Activation }): Value {
  const { last, activation } = how;
  const features = weights.dim('body.0.weight', 0);
  const layers = weights.at('body');
  const activations = counted(Math.floor(last / 2), (i) => 2 * i + 1);
  return chain(conv3x3(image, layers.at(0)), activations, (x, index) => {
    const outputs = index + 1 < last ? features : null;
    return conv3x3(activated(x, layers.at(index), activation), layers.at(index + 1), outputs);
  });
}

function activated(x: Value, weights: Weights, activation: Activation): Value {
  if (activation === 'prelu') return x.prelu(weights);
  return activation === 'relu' ? x.relu() : x.leakyRelu(LEAK);
}
