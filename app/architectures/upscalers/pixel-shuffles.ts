import { conv3x3 } from '../../onnx/convolution.ts';
import type { Value } from '../../onnx/value.ts';
import type { Weights } from '../../onnx/weights.ts';
import { UnknownNetworkError } from '../errors.ts';

/**
 * What the last convolution before a pixel shuffle can mean: its outputs are `channels` times a square. The input's own channel
 * count is tried first, then colour, colour with alpha, gray.
 * @param key of the convolution's weight
 * @throws UnknownNetworkError, naming `key`, where they are none of these
 */
export function pixelShuffleHead(weights: Weights, key: string, inputs: number): { channels: number; factor: number } {
  const features = weights.dim(key, 0);
  for (const channels of [inputs, 3, 4, 1]) {
    const factor = Math.sqrt(features / channels);
    if (Number.isInteger(factor) && factor > 0) return { channels, factor };
  }
  throw new UnknownNetworkError(
    `${key}: a head of ${features} channels is no pixel shuffle of ${inputs}, 3, 4 or 1 channels`,
  );
}

/** By how much the convolutions of `key`, each followed by a pixel shuffle, enlarge together (`Upsample` of EDSR). */
export function sequenceScale(weights: Weights, key: string): number {
  return stepsOf(weights, key).reduce((scale, { factor }) => scale * factor, 1);
}

/** `x` through the 3x3 convolutions of `key`, each followed by a pixel shuffle. */
export function upsampleSequence(x: Value, weights: Weights, key: string): Value {
  return stepsOf(weights, key).reduce((y, { conv, factor }) => conv3x3(y, conv).pixelShuffle(factor), x);
}

/** One convolution for a factor of 3, else one for each factor of 2, on every second place. */
interface ShuffleStep {
  readonly conv: Weights;
  readonly factor: number;
}

function stepsOf(weights: Weights, key: string): ShuffleStep[] {
  const last = weights.indices(key).at(-1) ?? -2;
  if (last > MAX_SHUFFLES) throw new UnknownNetworkError(`${key}.${last}: no head enlarges that often`);
  return Array.from({ length: last / 2 + 1 }, (_, step) => {
    const conv = weights.at(key).at(2 * step);
    const factor = Math.sqrt(conv.dim('weight', 0) / conv.dim('weight', 1));
    if (Number.isInteger(factor) && factor > 0) return { conv, factor };
    const shape = conv.shape('weight').join(', ');
    throw new UnknownNetworkError(`${key}.${2 * step}.weight: shape [${shape}] is no pixel shuffle`);
  });
}

/** Of the last step of a head that enlarges by 2 five times, as none does. */
const MAX_SHUFFLES = 8;
