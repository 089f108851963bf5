import type { Value } from './value.ts';

/** 1 where any element of `x` is NaN or infinite, else 0: an int32 scalar. No sound network makes either. */
export function hasNan(x: Value): Value {
  const { graph } = x;
  const zeros = x.add(x.scale(-1)); // NaN where an infinity stood
  const marks = graph.node({ op: 'IsNaN', inputs: [zeros] }, x.shape, 'bool').cast('int32');
  return graph.node({ op: 'ReduceMax', inputs: [marks], attributes: { keepdims: 0 } }, [], 'int32');
}
