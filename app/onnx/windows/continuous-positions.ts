import type { Graph } from '../graph.ts';
import { linear, project } from '../linear.ts';
import type { Value } from '../value.ts';
import type { Weights } from '../weights.ts';

/** Distances along one axis of a window, in pixels, from the least to the greatest. */
export interface Distances {
  readonly first: number;
  readonly last: number;
}

/**
 * What a small network (`cpb_mlp`) makes of the distances between tokens (Swin Transformer V2, arXiv:2111.09883): 16 times a sigmoid,
 * [rows columns, heads]. Distances go in on a logarithmic scale, in which the greatest of each axis is that of 8.
 */
export function continuousPositions(
  graph: Graph,
  weights: Weights,
  [rows, columns]: readonly [Distances, Distances],
): Value {
  const [down, across] = [onLogScale(rows), onLogScale(columns)];
  const pairs = down.flatMap((y) => across.flatMap((x) => [y, x]));
  const hidden = linear(graph.constant(pairs, [pairs.length / 2, 2]), weights.at(0)).relu();
  const last = graph.weight(weights.at(2).take('weight', [null, hidden.size(1)]));
  return project(hidden, last).sigmoid().scale(16);
}

function onLogScale({ first, last }: Distances): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => {
    const distance = ((first + index) / last) * 8;
    return (Math.sign(distance) * Math.log2(Math.abs(distance) + 1)) / Math.log2(8);
  });
}
