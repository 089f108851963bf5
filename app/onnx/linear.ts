import type { Value } from './value.ts';
import type { WeightTensor, Weights } from './weights.ts';

/**
 * `nn.Linear` over the last axis: `weight` [out, in] and, where the file has one, `bias` [out]. A Gemm, which takes the
 * weight as it lies in the file; a MatMul would need a transposed copy in memory.
 */
export function linear(x: Value, weights: Weights): Value {
  const bias = weights.has('bias') ? weights.take('bias') : undefined;
  return linearOf(x, weights.take('weight', [null, x.size(-1)]), bias);
}

/** `linear` with tensors of other names. */
export function linearOf(x: Value, weight: WeightTensor, bias?: WeightTensor): Value {
  const { graph } = x;
  const [outputs = 0, inputs = 0] = weight.shape;
  const outer = x.shape.slice(0, -1).map((_, axis) => x.size(axis));
  const rows = outer.reduce((product, size) => product * size, 1);
  const flat = x.shape.length === 2 ? x : x.reshape([rows, inputs]);
  const operands = [flat, graph.weight(weight), ...(bias ? [graph.weight(bias)] : [])];
  const product = graph.node({ op: 'Gemm', inputs: operands, attributes: { transB: 1 } }, [rows, outputs]);
  return x.shape.length === 2 ? product : product.reshape([...outer, outputs]);
}
