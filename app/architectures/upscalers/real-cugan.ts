import { channelAttention } from '../../onnx/channel-attention.ts';
import { convTranspose } from '../../onnx/convolution.ts';
import type { Value } from '../../onnx/value.ts';
import type { Weights } from '../../onnx/weights.ts';
import type { Architecture, Network } from '../architecture.ts';
import { UnknownNetworkError } from '../errors.ts';
import { hasAll } from '../state-dict-keys.ts';
import { cropBorder, cropTo, padMirrored } from '../padding.ts';

/** One of the four networks that the paper's program calls UpCunet2x, UpCunet3x, UpCunet4x and UpCunet2x_fast. */
interface Variant {
  readonly scale: 2 | 3 | 4;
  readonly isFast: boolean;
  /** Colours are squeezed to 0.15..0.85 inside. */
  readonly isPro: boolean;
  /** Pixels that the convolutions eat on every side, and to what multiple sides are brought. */
  readonly border: number;
  readonly multipleOf: number;
  /** What sides must have so that the lowest level has any pixels, and `border` can be mirrored. */
  readonly smallest: number;
  /** Of `unet1`'s last layer, which enlarges. */
  readonly bottom: { readonly stride: number; readonly padding: number };
}

/**
 * Real-CUGAN: two U-Nets of convolutions without padding, one after the other. Reference: bilibili/ailab,
 * Real-CUGAN/upcunet_v3.py, in one piece (its tiles share the means of channel attention, ours have their own).
 */
export const realCugan: Architecture = {
  name: 'RealCUGAN',
  looksFor: 'Real-CUGAN: unet1.conv1.conv.0.weight + unet2.conv_bottom.weight',

  detect: hasAll('unet1.conv1', 'unet2.conv_bottom'),
  ignores: (name) => name === 'pro',

  read(weights) {
    const variant = variantOf(weights);
    const { scale, isFast, isPro } = variant;
    const stored = weights.dim('unet1.conv1.conv.0.weight', 1);
    const hasFinal = weights.has('conv_final');
    const last = hasFinal ? weights.dim('conv_final.weight', 0) / 4 : weights.dim('unet2.conv_bottom.weight', 0);
    const channels = { in_channels: isFast ? stored / 4 : stored, out_channels: last };
    return {
      scale,
      inputChannels: channels.in_channels,
      outputChannels: channels.out_channels,
      parameters: {
        scale,
        ...(scale === 2 && { fast: isFast }),
        ...channels,
        ...(!isFast && { pro: isPro }),
      },
      multipleOf: variant.multipleOf,
      padding: 'own',
      sides: 'fixed',
      halo: variant.border,
      // The means of channels are over what a tile sees: the original program runs all tiles side by side, layer by layer, to give them the
      // same, and spandrel runs the whole. Here it is the whole where memory allows; tiles were up to 6 levels of 255 apart.
      tiling: 'whole-image-preferred',
      workingBytesPerPixel: isFast ? WORKING_BYTES / 4 : WORKING_BYTES * (scale / 2) ** 2,
      build: (image) => build(image, weights, variant),
    } satisfies Network;
  },
};

/** At x2: 64 channels at twice the size, several times over. */
const WORKING_BYTES = 6 * 4 * 64 * 4;

function variantOf(weights: Weights): Variant {
  const isPro = weights.has('pro') || weights.hasMark('pro');
  const shuffled = { scale: 2, isPro, isFast: false, multipleOf: 2, bottom: { stride: 2, padding: 3 } } as const;
  if (weights.has('conv_final')) {
    const inputs = weights.dim('unet1.conv1.conv.0.weight', 1);
    return weights.dim('conv_final.weight', 0) === inputs
      ? { ...shuffled, isFast: true, isPro: false, border: 38, multipleOf: 4, smallest: 40 }
      : { ...shuffled, scale: 4, border: 19, smallest: 20 };
  }
  const kernel = weights.dim('unet1.conv_bottom.weight', 2);
  if (kernel === 5) {
    return { ...shuffled, scale: 3, border: 14, multipleOf: 4, smallest: 18, bottom: { stride: 3, padding: 2 } };
  }
  if (kernel !== 4) throw new UnknownNetworkError(`Real-CUGAN enlarges by a kernel of 4 or 5, not ${kernel}`);
  return { ...shuffled, border: 18, smallest: 20 };
}

function build(image: Value, weights: Weights, variant: Variant): Value {
  const { scale, isPro, isFast } = variant;
  const [height, width] = [image.size(2) * scale, image.size(3) * scale];
  const large = padMirrored(image, ...sidesOf(image, variant));
  const shifted = isPro ? plus(large.scale(0.7), 0.15) : large;
  const bordered = mirrorAround(shifted, variant);
  const rough = lowUnet(isFast ? bordered.pixelUnshuffle(2) : bordered, weights.at('unet1'), variant.bottom);
  const refined = highUnet(rough, weights.at('unet2')).add(cropBorder(rough, 20));
  const enlarged = weights.has('conv_final')
    ? cropTo(cropBorder(valid(refined, weights.at('conv_final')), 1).pixelShuffle(2), height, width)
    : cropTo(refined, height, width);
  const original = isPro ? plus(image.scale(0.7), 0.15) : image;
  const picture = weights.has('conv_final') ? enlarged.add(original.resizeNearest(scale)) : enlarged;
  return isPro ? plus(picture, -0.15).scale(1 / 0.7) : picture;
}

/** The size from which mirroring is possible: smaller pictures are grown first. The fast one takes multiples only. */
function sidesOf(image: Value, { isFast, multipleOf, smallest }: Variant): [height: number, width: number] {
  const grown = (side: number): number => {
    const needed = Math.max(side, smallest);
    return isFast ? Math.ceil(needed / multipleOf) * multipleOf : needed;
  };
  return [grown(image.size(2)), grown(image.size(3))];
}

/** What the convolutions will eat, and on the right and at the bottom what is missing to a multiple as well. */
function mirrorAround(image: Value, { border, multipleOf }: Variant): Value {
  const missing = (axis: 2 | 3): number => (multipleOf - (image.size(axis) % multipleOf)) % multipleOf;
  return image.pad([border, border, border + missing(2), border + missing(3)], 'reflect');
}

function lowUnet(x: Value, weights: Weights, bottom: Variant['bottom']): Value {
  const first = doubleConv(x, weights.at('conv1'));
  const lowest = doubleConv(halved(first, weights.at('conv1_down')), weights.at('conv2'));
  const joined = cropBorder(first, 4).add(doubled(lowest, weights.at('conv2_up')));
  return convTranspose(valid(joined, weights.at('conv3')).leakyRelu(SLOPE), weights.at('conv_bottom'), bottom);
}

function highUnet(x: Value, weights: Weights): Value {
  const first = doubleConv(x, weights.at('conv1'));
  const second = doubleConv(halved(first, weights.at('conv1_down')), weights.at('conv2'));
  const lowest = doubleConv(halved(second, weights.at('conv2_down')), weights.at('conv3'));
  const middle = doubleConv(cropBorder(second, 4).add(doubled(lowest, weights.at('conv3_up'))), weights.at('conv4'));
  const joined = cropBorder(first, 16).add(doubled(middle, weights.at('conv4_up')));
  return valid(valid(joined, weights.at('conv5')).leakyRelu(SLOPE), weights.at('conv_bottom'));
}

/** Two convolutions and, but for the first of a U-Net, channel attention. */
function doubleConv(x: Value, weights: Weights): Value {
  const conv = weights.at('conv');
  const y = valid(valid(x, conv.at(0)).leakyRelu(SLOPE), conv.at(2)).leakyRelu(SLOPE);
  const attention = weights.at('seblock');
  return weights.has('seblock') ? channelAttention(y, attention.at('conv1'), attention.at('conv2')) : y;
}

const SLOPE = 0.1;

function halved(x: Value, weights: Weights): Value {
  return x.conv(weights, { stride: 2, padding: 0 }).leakyRelu(SLOPE);
}

function doubled(x: Value, weights: Weights): Value {
  return convTranspose(x, weights, { stride: 2 }).leakyRelu(SLOPE);
}

/** A convolution that gives only what it sees all of. */
function valid(x: Value, weights: Weights): Value {
  return x.conv(weights, { padding: 0 });
}

function plus(x: Value, value: number): Value {
  return x.add(x.graph.constant(value));
}
