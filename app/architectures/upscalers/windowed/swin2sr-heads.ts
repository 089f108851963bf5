import { conv3x3 } from '../../../onnx/convolution.ts';
import { resizeBicubicTo } from '../../../onnx/resize.ts';
import type { Value } from '../../../onnx/value.ts';
import type { Weights } from '../../../onnx/weights.ts';
import { cropTo, padToMultiple } from '../../padding.ts';
import { upsampleSequence } from '../pixel-shuffles.ts';
import type { SwinFrame } from './swin-frame.ts';
import { swinFeatures } from './swin-frame.ts';
import { colorRange } from './transformer-parts.ts';

/** What stands before a head of Swin2SR's own. */
export interface Swin2SrBody {
  readonly frame: SwinFrame;
  readonly window: number;
  /** Of the picture's values inside. */
  readonly range: number;
  /** The groups of blocks under a key, `layers` by default: [N, C, H, W] to the like. */
  readonly deep: (map: Value, layers?: string) => Value;
}

/** A head that SwinIR has not, with what is around it. */
export interface Swin2SrHead {
  /** As the reference calls it. */
  readonly upsampler: string;
  /** Whether it pads the picture itself. */
  readonly isPadding: boolean;
  /** From the picture [N, C, H, W] to what it becomes. */
  readonly build: (image: Value, weights: Weights, body: Swin2SrBody) => Value;
}

/** The head of Swin2SR's own that a file has, or none. */
export function swin2SrHead(weights: Weights): Swin2SrHead | undefined {
  return [weights.has('conv_bicubic') && AUXILIARY_PICTURE, weights.has('conv_after_body_hf') && HIGH_FREQUENCIES].find(
    (head) => head !== false,
  );
}

/**
 * Features become a small picture and features again, and a bicubic enlargement of the picture is added. The
 * reference enlarges the padded picture to the size of what is asked for, so it does not lie quite where the rest does.
 */
const AUXILIARY_PICTURE: Swin2SrHead = {
  upsampler: 'pixelshuffle_aux',
  isPadding: true,
  build(image, weights, { frame, window, range, deep }) {
    const [height, width] = [image.size(2) * frame.head.upscale, image.size(3) * frame.head.upscale];
    const { enter, leave } = colorRange(range);
    const picture = enter(padToMultiple(image, window, 'mirrored'));
    const bicubic = conv3x3(resizeBicubicTo(picture, height, width), weights.at('conv_bicubic'));
    const before = activated(swinFeatures(picture, weights, frame, deep), weights, 'conv_before_upsample');
    const small = conv3x3(before, weights.at('conv_aux'));
    const after = activated(small, weights, 'conv_after_aux');
    const enlarged = cropTo(upsampleSequence(after, weights, 'upsample'), height, width).add(bicubic);
    return leave(conv3x3(enlarged, weights.at('conv_last')));
  },
};

/**
 * A picture, and what groups of blocks of their own (`layers_hf`) add to it of details. The reference returns the picture without them, with
 * them, and the details alone: this is the second, which is what all its other heads return.
 */
const HIGH_FREQUENCIES: Swin2SrHead = {
  upsampler: 'pixelshuffle_hf',
  isPadding: false,
  build(image, weights, { frame, range, deep }) {
    const { enter, leave } = colorRange(range);
    const before = activated(swinFeatures(enter(image), weights, frame, deep), weights, 'conv_before_upsample');
    const plain = conv3x3(upsampleSequence(before, weights, 'upsample'), weights.at('conv_last'));
    const shallow = activated(before, weights, 'conv_first_hf');
    const features = conv3x3(deep(shallow, 'layers_hf'), weights.at('conv_after_body_hf')).add(shallow);
    const enlarged = upsampleSequence(activated(features, weights, 'conv_before_upsample_hf'), weights, 'upsample_hf');
    return leave(plain.add(conv3x3(enlarged, weights.at('conv_last_hf'))));
  },
};

/** A convolution, the first of its sequence, and a LeakyReLU. */
function activated(x: Value, weights: Weights, name: string): Value {
  return conv3x3(x, weights.at(name).at(0)).leakyRelu(0.01);
}
