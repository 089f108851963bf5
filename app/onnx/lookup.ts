import type { Value } from './value.ts';

/** Position of the largest value along `axis`, which is dropped: int64. The first of equals. */
export function argMax(x: Value, axis: number): Value {
  return extreme('ArgMax', x, axis);
}

/** Position of the smallest value along `axis`, which is dropped: int64. The first of equals. */
export function argMin(x: Value, axis: number): Value {
  return extreme('ArgMin', x, axis);
}

/** Rows of `table` [rows, features] by number (`nn.Embedding`): `indices` of any shape to that shape + [features]. */
export function lookUp(table: Value, indices: Value): Value {
  const shape = [...indices.shape, table.size(1)];
  return table.graph.node({ op: 'Gather', inputs: [table, indices], attributes: { axis: 0 } }, shape);
}

function extreme(op: 'ArgMax' | 'ArgMin', x: Value, axis: number): Value {
  const shape = x.shape.filter((_, i) => i !== axis);
  return x.graph.node({ op, inputs: [x], attributes: { axis, keepdims: 0 } }, shape, 'int64');
}
