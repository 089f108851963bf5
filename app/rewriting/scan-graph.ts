import type { DeclaredGraph } from '../onnx/graph.ts';
import type { ProtoGraph, ProtoInitializer, ProtoNode } from '../onnx/model-proto.ts';
import { ConstantValues } from './constant-values.ts';
import { repeatedBlocks } from './repeated-blocks.ts';
import { ScanLoop } from './scan-loop.ts';

/** CUDA takes some 25 ms to prepare a convolution; each turn of a loop costs a little, too. */
const MIN_SPARED_CONVOLUTIONS = 4;

/**
 * The graph with each row of alike blocks as one `Scan`, and rows within them as loops within the loop. It calculates the same. For devices
 * that prepare each node for itself: of 23 blocks of three dense blocks only one of either is there to prepare.
 * @param minSpared how many convolutions a loop within a loop has to spare its device; Infinity for none within others
 */
export function scanGraph(graph: DeclaredGraph, minSpared = MIN_SPARED_CONVOLUTIONS): ProtoGraph {
  const constants = new ConstantValues(graph);
  const initializers = new Map(graph.initializers.map((one) => [one.name, one]));
  const nodes: ProtoNode[] = [];
  const added: ProtoInitializer[] = [];
  let done = 0;
  repeatedBlocks(graph).forEach((row, index) => {
    const loop = new ScanLoop(row, `scan${index}_`, { graph, constants, initializers, minSpared });
    const {
      place: [from, to],
      stacks,
    } = loop;
    if (stacks.length === 0) return; // the very same block: a Scan has to go along something
    const prepared = graph.nodes.slice(from, to).filter((node) => constants.isMadeBy(node));
    nodes.push(
      ...graph.nodes.slice(done, from),
      ...prepared,
      ...stacks.flatMap(({ stacking }) => stacking),
      loop.node(),
    );
    added.push(...stacks.flatMap((stack) => stack.initializers.outer));
    done = to;
  });
  if (nodes.length === 0) return graph;
  return {
    ...graph,
    nodes: [...nodes, ...graph.nodes.slice(done)],
    initializers: [...graph.initializers, ...added],
  };
}
