import { conv3x3 } from '../../../onnx/convolution.ts';
import type { Value } from '../../../onnx/value.ts';
import type { Weights } from '../../../onnx/weights.ts';
import { pixelShuffleHead, sequenceScale, upsampleSequence } from '../pixel-shuffles.ts';

/** How features become a picture, by the reference's own names; '' adds to the picture that went in. */
export type Upsampler = 'pixelshuffle' | 'pixelshuffledirect' | 'nearest+conv' | '';

/** What the keys of a head tell. */
export interface PictureHead {
  readonly upsampler: Upsampler;
  readonly upscale: number;
  readonly outputs: number;
}

/** @param inputs channels of the picture that goes in */
export function readPictureHead(weights: Weights, inputs: number): PictureHead {
  if (weights.has('conv_before_upsample.0')) {
    const outputs = weights.dim('conv_last.weight', 0);
    if (weights.has('conv_up1')) return { upsampler: 'nearest+conv', upscale: 2 ** enlargers(weights).length, outputs };
    const upscale = sequenceScale(weights, upsampleKey(weights));
    return { upsampler: 'pixelshuffle', upscale, outputs };
  }
  if (weights.has(`${upsampleKey(weights)}.0`)) {
    const { channels, factor } = pixelShuffleHead(weights, `${upsampleKey(weights)}.0.weight`, inputs);
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
    return conv3x3(upsampleSequence(before, weights, upsampleKey(weights)), weights.at('conv_last'));
  }
  const width = before.size(1);
  const layer = (x: Value, conv: Weights): Value => conv3x3(x, conv, width).leakyRelu(0.2);
  const enlarged = enlargers(weights).reduce((x, conv) => layer(x.resizeNearest(2), conv), before);
  return conv3x3(layer(enlarged, weights.at('conv_hr')), weights.at('conv_last'));
}

/** Where the convolutions of pixel shuffles lie. */
function upsampleKey(weights: Weights): string {
  return weights.has('upsample.up') ? 'upsample.up' : 'upsample';
}

/** conv_up1, conv_up2 ..., each after an enlargement by 2. */
function enlargers(weights: Weights): Weights[] {
  const names = ['conv_up1', 'conv_up2', 'conv_up3'];
  return names.slice(0, names.findLastIndex((name) => weights.has(name)) + 1).map((name) => weights.at(name));
}
