import type { ProtoGraph, ProtoInitializer, ProtoNode, ProtoValue } from '../onnx/model-proto.ts';
import type { DenseBlock } from './dense-block.ts';

/** Names of the outputs that have a value's smallest and largest number by channel. */
export const lowOf = (value: string): string => `low:${value}`;
export const highOf = (value: string): string => `high:${value}`;

/**
 * The graph with further outputs: for the input and every convolution of each dense block, `lowOf` and `highOf` its values, by
 * channel [C]. They are reduced inside the graph, so that no more than those leave it.
 */
export function watchedGraph(graph: ProtoGraph, blocks: readonly DenseBlock[]): ProtoGraph {
  const axes: ProtoInitializer = {
    name: 'watched_axes',
    type: 'int64',
    shape: [3],
    data: new Uint8Array(BigInt64Array.of(0n, 2n, 3n).buffer),
  };
  const watched = new Set(blocks.flatMap(watchedValues));
  const nodes: ProtoNode[] = [];
  const outputs: ProtoValue[] = [];
  for (const value of watched) {
    for (const [op, output] of [['ReduceMin', lowOf(value)] as const, ['ReduceMax', highOf(value)] as const]) {
      nodes.push({ op, domain: '', inputs: [value, axes.name], outputs: [output], attributes: { keepdims: 0 } });
      outputs.push({ name: output, type: 'float32', shape: [`${value}_channels`] });
    }
  }
  return {
    ...graph,
    outputs: [...graph.outputs, ...outputs],
    nodes: [...graph.nodes, ...nodes],
    initializers: [...graph.initializers, axes],
  };
}

/** The values of a block that `watchedGraph` watches. */
export function watchedValues({ input, steps }: DenseBlock): string[] {
  return [input, ...steps.flatMap((step) => (step.kind === 'conv' ? [step.output] : []))];
}
