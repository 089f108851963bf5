import { exp } from '../activation.ts';
import type { AttentionInputs } from '../attention.ts';
import { assertHeads } from '../attention.ts';
import type { Graph } from '../graph.ts';
import { project } from '../linear.ts';
import { unitLength } from '../normalization.ts';
import type { Value } from '../value.ts';
import type { Weights } from '../weights.ts';

/** What is added to the scores of attention in windows, how many heads there are, and how queries and keys are compared. */
export interface WindowScores {
  readonly heads: number;
  /** By what products of queries and keys are multiplied in place of 1 / sqrt(d): [heads, 1, 1], or one for all. */
  readonly logitScale?: Value;
  /** Whether queries and keys are compared by their cosine, with a `logitScale`. */
  readonly isCosine?: boolean;
  /** By the tokens' places in their window, for every head: [heads, tokens, key tokens]. */
  readonly bias?: Value | undefined;
  /** For every window: [windows, tokens, key tokens]. */
  readonly mask?: Value | undefined;
}

/** Query, key and value of the rows of `qkv` (`weight` [3 C, C], `bias` [3 C] unless it has none): [..., C] each. */
export function queryKeyValue(x: Value, qkv: Weights, { hasBias = true } = {}): AttentionInputs {
  const features = x.size(-1);
  const { graph } = x;
  const weight = graph.weight(qkv.take('weight', [3 * features, features]));
  const bias = hasBias ? graph.weight(qkv.take('bias', [3 * features])) : undefined;
  const part = (index: number): Value => {
    const rows = [index * features, (index + 1) * features] as const;
    return project(x, weight.slice(0, ...rows), bias?.slice(0, ...rows));
  };
  return { query: part(0), key: part(1), value: part(2) };
}

/**
 * softmax(q k^T / sqrt(d) + bias + mask) v, in every window for itself: [N windows, tokens, C] each to the like. With a `logitScale`
 * it is q k^T, or cos(q, k), times that in place of q k^T / sqrt(d).
 * @param scores `C / heads` is d, the features of a head
 */
export function attendInWindows({ query, key, value }: AttentionInputs, scores: WindowScores): Value {
  const { heads, logitScale, isCosine = false, bias, mask } = scores;
  assertHeads(query, heads);
  const perHead = (x: Value, order: readonly number[]): Value =>
    x.reshape([x.size(0), x.size(1), heads, x.size(2) / heads]).transpose(order);
  const compared = (x: Value, order: readonly number[], axis: number): Value =>
    isCosine ? unitLength(perHead(x, order), axis) : perHead(x, order);
  const products = logitScale
    ? compared(query, [0, 2, 1, 3], 3)
        .matmul(compared(key, [0, 2, 3, 1], 2))
        .multiply(logitScale)
    : perHead(query.scale((query.size(2) / heads) ** -0.5), [0, 2, 1, 3]).matmul(perHead(key, [0, 2, 3, 1]));
  const weights = masked(bias ? products.add(bias) : products, mask).softmax();
  const mixed = weights.matmul(perHead(value, [0, 2, 1, 3])).transpose([0, 2, 1, 3]);
  return mixed.reshape([query.size(0), query.size(1), value.size(2)]);
}

/** `scores` [N windows, heads, tokens, key tokens] with what tokens of different regions are kept apart by. */
function masked(scores: Value, mask: Value | undefined): Value {
  if (!mask) return scores;
  const [all, heads, tokens, keys] = [scores.size(0), scores.size(1), scores.size(2), scores.size(3)];
  const windows = mask.size(0);
  const split = scores.reshape([all / windows, windows, heads, tokens, keys]);
  return split.add(mask.unsqueeze(1)).reshape([all, heads, tokens, keys]);
}

/**
 * Rows of a table of relative positions for every pair of tokens of a window: row `(dy + h - 1) (2 w - 1) + dx + w - 1` for a query that
 * lies dy below and dx right of the key. int64 [tokens tokens].
 */
export function relativePositions(graph: Graph, [height, width]: readonly [height: number, width: number]): Value {
  const places = Array.from({ length: height * width }, (_, token) => ({
    y: Math.floor(token / width),
    x: token % width,
  }));
  const [down, right] = [height - 1, width - 1];
  const rows = places.flatMap((query) =>
    places.map((key) => (query.y - key.y + down) * (2 * width - 1) + query.x - key.x + right),
  );
  return graph.integers(rows);
}

/** A table of biases [rows, heads], looked up for every pair: [heads, tokens, key tokens]. */
export function positionBias(table: Value, rows: Value, [tokens, keys]: readonly [number, number]): Value {
  const byHead = table.transpose([1, 0]);
  const shape = [table.size(1), rows.size(0)];
  const found = table.graph.node({ op: 'Gather', inputs: [byHead, rows], attributes: { axis: 1 } }, shape);
  return found.reshape([table.size(1), tokens, keys]);
}

/**
 * By what products of queries and keys are multiplied: exp(`logit_scale`), 100 at most.
 * @param shape by default one for each head
 */
export function logitScale(graph: Graph, weights: Weights, shape: readonly (number | null)[] = [null, 1, 1]): Value {
  const scale = graph.weight(weights.take('logit_scale', shape));
  return exp(scale.clip(EXP_IS_ZERO, Math.log(100)));
}

const EXP_IS_ZERO = -1e4;
