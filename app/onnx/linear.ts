import type { Value } from './value.ts';
import { weightFor } from './weight-for.ts';
import type { Weights } from './weights.ts';

/**
 * `nn.Linear` over the last axis: `weight` [out, in] and `bias` [out], unless it has none. A Gemm, which takes the
 * weight as it lies in the file; a MatMul would need a transposed copy in memory.
 */
export function linear(x: Value, weights: Weights, { hasBias = true } = {}): Value {
  const weight = weightFor(x, weights, 'weight', [null, x.size(-1)]);
  return project(x, weight, hasBias ? x.graph.weight(weights.take('bias', [weight.size(0)])) : undefined);
}

/** `linear` with operands that need not be whole tensors of the file. */
export function project(x: Value, weight: Value, bias?: Value): Value {
  const outer = x.shape.slice(0, -1).map((_, axis) => x.size(axis));
  const rows = outer.reduce((product, size) => product * size, 1);
  const flat = x.shape.length === 2 ? x : x.reshape([rows, x.size(-1)]);
  const operands = bias ? [flat, weight, bias] : [flat, weight];
  const outputs = weight.size(0);
  const product = x.graph.node({ op: 'Gemm', inputs: operands, attributes: { transB: 1 } }, [rows, outputs]);
  return x.shape.length === 2 ? product : product.reshape([...outer, outputs]);
}
