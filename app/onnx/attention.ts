import { GraphError } from './errors.ts';
import { linear, project } from './linear.ts';
import type { Value } from './value.ts';
import type { Weights } from './weights.ts';

/** What attention works on: [N, tokens, E] each; `key` and `value` have the same tokens. */
export interface AttentionInputs {
  readonly query: Value;
  readonly key: Value;
  readonly value: Value;
}

/**
 * `nn.MultiheadAttention` in eval mode: `in_proj_weight` (rows for query, key, value), `in_proj_bias`, `out_proj`.
 * @param heads how many; it cannot be read from the file
 * @returns [N, query tokens, E]
 */
export function multiHeadAttention(inputs: AttentionInputs, weights: Weights, heads: number): Value {
  const { graph } = inputs.query;
  const features = inputs.query.size(-1);
  const weight = graph.weight(weights.take('in_proj_weight', [3 * features, features]));
  const bias = graph.weight(weights.take('in_proj_bias', [3 * features]));
  const part = (x: Value, index: number): Value => {
    const rows = [index * features, (index + 1) * features] as const;
    return project(x, weight.slice(0, ...rows), bias.slice(0, ...rows));
  };
  const projected = { query: part(inputs.query, 0), key: part(inputs.key, 1), value: part(inputs.value, 2) };
  return linear(attend(projected, heads), weights.at('out_proj'));
}

/** softmax(q k^T / sqrt(E / heads)) v for every head, heads side by side in the last axis. */
export function attend({ query, key, value }: AttentionInputs, heads: number): Value {
  const features = query.size(-1);
  assertHeads(query, heads);
  const split = (x: Value, order: readonly number[]): Value =>
    x.reshape([x.size(0), x.size(1), heads, x.size(2) / heads]).transpose(order);
  const scores = split(query.scale((features / heads) ** -0.5), [0, 2, 1, 3]).matmul(split(key, [0, 2, 3, 1]));
  const mixed = scores.softmax().matmul(split(value, [0, 2, 1, 3]));
  return mixed.transpose([0, 2, 1, 3]).reshape([mixed.size(0), query.size(1), value.size(2)]);
}

/** @throws GraphError, naming where `query` comes from, if its features are not to be shared by so many heads */
export function assertHeads(query: Value, heads: number): void {
  const features = query.size(-1);
  if (features % heads === 0) return;
  const origin = query.graph.describe(query);
  throw new GraphError(`attention: ${features} features are not ${heads} heads (of ${origin})`);
}
