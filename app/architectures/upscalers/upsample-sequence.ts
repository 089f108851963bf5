import type { Value } from '../../onnx/value.ts';
import type { Weights } from '../../onnx/weights.ts';
import { UnknownNetworkError } from '../errors.ts';

/** By how much the convolutions of `key`, each followed by a pixel shuffle, enlarge together (`Upsample` of EDSR). */
export function sequenceScale(weights: Weights, key: string): number {
  return stepsOf(weights, key).reduce((scale, { factor }) => scale * factor, 1);
}

/** `x` through the convolutions of `key`, each followed by a pixel shuffle. */
export function upsampleSequence(x: Value, weights: Weights, key: string): Value {
  return stepsOf(weights, key).reduce(
    (y, { index, factor }) => y.conv(weights.at(key).at(index)).pixelShuffle(factor),
    x,
  );
}

function stepsOf(weights: Weights, key: string): { index: number; factor: number }[] {
  return weights.indices(key).map((index) => {
    const name = `${key}.${index}.weight`;
    const [outputs, inputs] = [weights.dim(name, 0), weights.dim(name, 1)];
    const factor = Math.sqrt(outputs / inputs);
    if (Number.isInteger(factor) && factor > 0) return { index, factor };
    throw new UnknownNetworkError(
      `${name}: ${outputs} channels of ${inputs} are no pixel shuffle that keeps their number`,
    );
  });
}
