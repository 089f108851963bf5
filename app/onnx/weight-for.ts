import { WeightsError } from './errors.ts';
import type { Value } from './value.ts';
import type { Weights } from './weights.ts';

/**
 * Takes a weight whose shape follows from `x`, the layer's input.
 * @throws WeightsError where it does not fit; which of the two is wrong is not known, so both are named
 */
export function weightFor(x: Value, weights: Weights, key: string, shape: readonly (number | null)[]): Value {
  try {
    return x.graph.weight(weights.take(key, shape));
  } catch (error) {
    if (!(error instanceof WeightsError) || !weights.has(key)) throw error;
    throw new WeightsError(`${error.message}; what goes into it comes out of ${x.graph.describe(x)}`, { cause: error });
  }
}
