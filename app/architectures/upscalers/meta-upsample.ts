import { convTranspose } from '../../onnx/convolution.ts';
import type { Value } from '../../onnx/value.ts';
import type { Weights } from '../../onnx/weights.ts';
import { UnknownNetworkError } from '../errors.ts';
import { dySample } from './dysample.ts';
import { ldaUpsample } from './lda-upsample.ts';

/** Kinds of the head, in the order in which a file counts them. */
const KINDS = [
  'conv',
  'pixelshuffledirect',
  'pixelshuffle',
  'nearest+conv',
  'dysample',
  'transpose+conv',
  'lda',
  'pa_up',
] as const;

type Kind = (typeof KINDS)[number];

/** What `MetaUpsample` says of the head that it lies beside. */
export interface UpsampleHead {
  readonly kind: Kind;
  readonly scale: number;
  readonly outputs: number;
  readonly middle: number;
}

/**
 * Reads a head that describes itself: eight-bit numbers of version, kind, scale, channels in, out and between, groups
 * (`UniUpsample` of umzi2's networks).
 * @throws UnknownNetworkError where it is of a kind that is not known here
 */
export function upsampleHeadOf(weights: Weights): UpsampleHead {
  const [, index = -1, scale = 0, , outputs = 0, middle = 0] = weights.numbers('MetaUpsample');
  const kind = KINDS[index];
  if (!kind || scale < 1) throw new UnknownNetworkError(`no head of kind ${index} and scale ${scale} is known`);
  return { kind, scale: kind === 'conv' ? 1 : scale, outputs, middle };
}

/** Enlarges features to the picture. */
export function upsampled(x: Value, weights: Weights, { kind, scale }: UpsampleHead): Value {
  if (scale === 1 || kind === 'conv') return x.conv(weights.at(0));
  if (kind === 'pixelshuffledirect') return x.conv(weights.at(0)).pixelShuffle(scale);
  if (kind === 'dysample') return sampled(x, weights, scale);
  if (kind === 'pixelshuffle') return shuffled(x, weights, scale);
  if (kind === 'nearest+conv') return repeated(x, weights, scale);
  if (kind === 'transpose+conv') return transposed(x, weights, scale);
  if (kind === 'pa_up') return attended(x, weights, scale);
  return asked(x, weights, scale);
}

/** DySample, behind a convolution where that changes the number of channels. */
function sampled(x: Value, weights: Weights, scale: number): Value {
  const { features, place } = widened(x, weights);
  return dySample(features, weights.at(place), scale);
}

/** LDA-AQU, likewise, and a convolution. */
function asked(x: Value, weights: Weights, scale: number): Value {
  const { features, place } = widened(x, weights);
  return ldaUpsample(features, weights.at(place), scale).conv(weights.at(place + 1));
}

/** Features as many as what enlarges them takes, and the place of that. */
function widened(x: Value, weights: Weights): { readonly features: Value; readonly place: number } {
  if (!weights.has('0.weight')) return { features: x, place: 0 };
  return { features: x.conv(weights.at(0)).leakyRelu(0.01), place: 2 };
}

/** Transposed convolutions by 2, or one by 3, and a convolution. */
function transposed(x: Value, weights: Weights, scale: number): Value {
  if (scale === 3) return convTranspose(x, weights.at(0), { stride: 3 }).conv(weights.at(1));
  const twice = (y: Value, place: number): Value => convTranspose(y, weights.at(place), { stride: 2, padding: 1 });
  if (scale === 2) return twice(x, 0).conv(weights.at(1));
  if (scale === 4) return twice(twice(x, 0).gelu(), 2).conv(weights.at(3));
  throw new UnknownNetworkError(`no head of transposed convolutions enlarges by ${scale}: 2, 3 or 4`);
}

/** Steps of enlargement, convolution, attention to pixels, convolution; then a convolution. */
function attended(x: Value, weights: Weights, scale: number): Value {
  let y = x;
  const factors = factorsOf(scale);
  factors.forEach((factor, step) => {
    const at = 6 * step;
    const wide = y.resizeNearest(factor).conv(weights.at(at + 1));
    const seen = wide
      .multiply(
        wide
          .conv(
            weights
              .at(at + 2)
              .at('conv')
              .at(0),
          )
          .sigmoid(),
      )
      .leakyRelu(0.2);
    y = seen.conv(weights.at(at + 4)).leakyRelu(0.2);
  });
  return y.conv(weights.at(6 * factors.length));
}

/** A convolution, then convolutions with pixel shuffles, the last to the picture. Each shuffle takes a place of its own. */
function shuffled(x: Value, weights: Weights, scale: number): Value {
  let y = x.conv(weights.at(0)).leakyRelu(0.01);
  const factors = factorsOf(scale);
  factors.forEach((factor, step) => {
    y = y.conv(weights.at(2 + 2 * step)).pixelShuffle(factor);
  });
  return y.conv(weights.at(2 + 2 * factors.length));
}

/** Steps of convolution, enlargement, activation; then two convolutions. */
function repeated(x: Value, weights: Weights, scale: number): Value {
  let y = x;
  const factors = factorsOf(scale);
  factors.forEach((factor, step) => {
    y = y
      .conv(weights.at(3 * step))
      .resizeNearest(factor)
      .leakyRelu(0.2);
  });
  const end = 3 * factors.length;
  return y
    .conv(weights.at(end))
    .leakyRelu(0.2)
    .conv(weights.at(end + 2));
}

/** 3, or as many twos as it takes. */
function factorsOf(scale: number): number[] {
  if (scale === 3) return [3];
  const count = Math.log2(scale);
  if (!Number.isInteger(count)) throw new UnknownNetworkError(`no head enlarges by ${scale}: 3 or a power of 2`);
  return new Array<number>(count).fill(2);
}
