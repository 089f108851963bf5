import type { Value } from './value.ts';

/**
 * `blocks` one after another, each declared to be a region of the kind `block`: they may be run as one body with changing weights.
 * What they are not alike in (a shift of windows, a number of channels) is found out by who rewrites them.
 */
export function chain<T>(x: Value, blocks: Iterable<T>, step: (x: Value, block: T, index: number) => Value): Value {
  let y = x;
  let index = 0;
  for (const block of blocks) {
    const at = index++;
    y = y.graph.region('block', y, (input) => step(input, block, at));
  }
  return y;
}

/**
 * `count` blocks, each made when its turn comes: where a key of a file says that there are thousands of millions, the first that is
 * missing ends it.
 */
export function* counted<T>(count: number, blockAt: (index: number) => T): Generator<T> {
  for (let index = 0; index < count; index++) yield blockAt(index);
}
