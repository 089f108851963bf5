import type { Value } from './value.ts';

/** 1 where any element of `x` is NaN, else 0: an int32 scalar. Infinities are clipped in pictures, but a NaN would become any pixel. */
export function hasNan(x: Value): Value {
  const { graph } = x;
  const marks = graph.node({ op: 'IsNaN', inputs: [x] }, x.shape, 'bool').cast('int32');
  return graph.node({ op: 'ReduceMax', inputs: [marks], attributes: { keepdims: 0 } }, [], 'int32');
}
