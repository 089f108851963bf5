import type { Value } from './value.ts';

/**
 * `blocks` one after another, each declared to be a region of the kind `block`: they may be run as one body with changing weights.
 * What they are not alike in (a shift of windows, a number of channels) is found out by who rewrites them.
 */
export function chain<T>(x: Value, blocks: readonly T[], step: (x: Value, block: T, index: number) => Value): Value {
  return blocks.reduce((y, block, index) => y.graph.region('block', y, (input) => step(input, block, index)), x);
}
