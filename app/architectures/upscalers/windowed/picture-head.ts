import { conv3x3 } from '../../../onnx/convolution.ts';
import type { Value } from '../../../onnx/value.ts';
import type { Weights } from '../../../onnx/weights.ts';
import { UnknownNetworkError } from '../../errors.ts';
import { pixelShuffleHead } from '../compact.ts';

/** How features become a picture, by the reference's own names; '' adds to the picture that went in. */
export type Upsampler = 'pixelshuffle' | 'pixelshuffledirect' | 'nearest+conv' | '';

/** What the keys of a head tell. */
export interface PictureHead {
  readonly upsampler: Upsampler;
  readonly upscale: number;
  readonly outputs: number;
}

/** Of a head `pixelshuffle`: one convolution for a factor of 3, else one for each factor of 2, on every second place. */
interface ShuffleStep {
  readonly conv: Weights;
  readonly factor: number;
}

/** @param inputs channels of the picture that goes in */
export function readPictureHead(weights: Weights, inputs: number): PictureHead {
  if (weights.has('conv_before_upsample.0')) {
    const outputs = weights.dim('conv_last.weight', 0);
    if (weights.has('conv_up1')) return { upsampler: 'nearest+conv', upscale: 2 ** enlargers(weights).length, outputs };
    const upscale = shuffleSteps(weights).reduce((product, { factor }) => product * factor, 1);
    return { upsampler: 'pixelshuffle', upscale, outputs };
  }
  if (weights.has(`${upsampleKey(weights)}.0`)) {
    const { channels, factor } = pixelShuffleHead(weights.dim(`${upsampleKey(weights)}.0.weight`, 0), inputs);
    return { upsampler: 'pixelshuffledirect', upscale: factor, outputs: channels };
  }
  return { upsampler: '', upscale: 1, outputs: weights.dim('conv_last.weight', 0) };
}

/** Features [N, C, H, W] to what they are of the picture: [N, outputs, H upscale, W upscale]. */
export function pictureHead(features: Value, weights: Weights, { upsampler, upscale }: PictureHead): Value {
  if (upsampler === '') return conv3x3(features, weights.at('conv_last'));
  if (upsampler === 'pixelshuffledirect') {
    return conv3x3(features, weights.at(upsampleKey(weights)).at(0)).pixelShuffle(upscale);
  }
  const before = conv3x3(features, weights.at('conv_before_upsample').at(0)).leakyRelu(0.01);
  if (upsampler === 'pixelshuffle') {
    return conv3x3(shuffled(before, weights), weights.at('conv_last'));
  }
  const width = before.size(1);
  const layer = (x: Value, conv: Weights): Value => conv3x3(x, conv, width).leakyRelu(0.2);
  const enlarged = enlargers(weights).reduce((x, conv) => layer(x.resizeNearest(2), conv), before);
  return conv3x3(layer(enlarged, weights.at('conv_hr')), weights.at('conv_last'));
}

/** Convolutions with pixel shuffles. */
export function shuffled(x: Value, weights: Weights, key = upsampleKey(weights)): Value {
  return shuffleSteps(weights, key).reduce((y, { conv, factor }) => conv3x3(y, conv).pixelShuffle(factor), x);
}

/** Where the convolutions of pixel shuffles lie. */
function upsampleKey(weights: Weights): string {
  return weights.has('upsample.up') ? 'upsample.up' : 'upsample';
}

function shuffleSteps(weights: Weights, key = upsampleKey(weights)): ShuffleStep[] {
  const last = weights.indices(key).at(-1) ?? -2;
  if (last > MAX_SHUFFLES) throw new UnknownNetworkError(`${key}.${last}: no head enlarges that often`);
  return Array.from({ length: last / 2 + 1 }, (_, step) => {
    const conv = weights.at(key).at(2 * step);
    const factor = Math.sqrt(conv.dim('weight', 0) / conv.dim('weight', 1));
    if (Number.isInteger(factor) && factor > 0) return { conv, factor };
    throw new UnknownNetworkError(
      `${key}.${2 * step}.weight: shape [${conv.shape('weight').join(', ')}] is no pixel shuffle`,
    );
  });
}

/** Of the last step of a head that enlarges by 2 five times, as none does. */
const MAX_SHUFFLES = 8;

/** conv_up1, conv_up2 ..., each after an enlargement by 2. */
function enlargers(weights: Weights): Weights[] {
  const names = ['conv_up1', 'conv_up2', 'conv_up3'];
  return names.slice(0, names.findLastIndex((name) => weights.has(name)) + 1).map((name) => weights.at(name));
}
