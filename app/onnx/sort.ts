import type { Graph } from './graph.ts';
import type { Value } from './value.ts';

/** How values are ordered along their second axis, and where each came from: int64 [N, count]. */
export interface Order {
  /** Of what stands at each place of the sorted list, the place before. */
  readonly sorted: Value;
  /** Of each value the place in the sorted list. */
  readonly places: Value;
}

/** Sorts int64 [N, count], the smallest first; equals stay as they are to each other. */
export function stableOrder(keys: Value): Order {
  const { graph } = keys;
  const [n, count] = [keys.size(0), keys.size(1)];
  const shape = [n, count];
  // TopK puts the lower index first among equals.
  const attributes = { axis: 1, largest: 0, sorted: 1 };
  const [, sorted = keys] = graph.nodes({ op: 'TopK', inputs: [keys, graph.integers([count])], attributes }, [
    { shape, type: 'int64' },
    { shape, type: 'int64' },
  ]);
  const inputs = [sorted, sorted, counted(graph, n, count)];
  const places = graph.node({ op: 'ScatterElements', inputs, attributes: { axis: 1 } }, shape, 'int64');
  return { sorted, places };
}

/** [N, count]: 0, 1, 2 ... in every row. */
function counted(graph: Graph, n: number, count: number): Value {
  return graph.integers(Array.from({ length: n * count }, (_, index) => index % count)).reshape([n, count]);
}

/** For every picture its own rows of `x` [N, rows, C], by number: `rows` int64 [N, count] to [N, count, C]. */
export function gatherRows(x: Value, rows: Value): Value {
  const { graph } = x;
  const [n, length, features, count] = [x.size(0), x.size(1), x.size(2), rows.size(1)];
  const starts = graph.integers(Array.from({ length: n }, (_, index) => index * length)).reshape([n, 1]);
  const places = graph.node({ op: 'Add', inputs: [rows, starts] }, [n, count], 'int64');
  const flat = x.reshape([n * length, features]);
  return graph.node({ op: 'Gather', inputs: [flat, places], attributes: { axis: 0 } }, [n, count, features]);
}
