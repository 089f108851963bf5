import { GraphError } from '../onnx/errors.ts';
import type { GraphTarget } from '../onnx/graph.ts';
import { Graph } from '../onnx/graph.ts';
import { hasNan } from '../onnx/not-a-number.ts';
import { Value } from '../onnx/value.ts';
import type { NamedValues } from './architecture.ts';
import { NetworkInputError } from './errors.ts';
import { padToMultiple } from './padding.ts';
import type { RecognisedNetwork } from './registry.ts';

/** The bytes of `tensorGraph`. */
export function buildTensorGraph(...what: Parameters<typeof tensorGraph>): Uint8Array {
  return tensorGraph(...what).serialize();
}

/** `tensorGraph` of a network with one output, and beside it `has_nan`: int32, 1 where any value of the output is no number, else 0. */
export function checkedTensorGraph(...what: Parameters<typeof tensorGraph>): Graph {
  const { graph, outputs } = bareNetwork(...what);
  const { output } = outputs;
  if (!output) throw new GraphError('expected a network with one output');
  graph.output('has_nan', hasNan(output));
  return graph;
}

/**
 * The bare network as an ONNX model, as conformance is measured: input `input`, float32 [N, C, H, W] in the range the
 * reference takes, and the network's scalars, float32 [1]; output `output`, not clipped, or the several that the network
 * names. Sizes that the network cannot take are padded right and bottom as the reference does (zeros where the network says
 * so, else reflect up to side - 1, then replicate) and the result is cropped.
 * @throws NetworkInputError where the network takes images of one size only, and this is another
 */
export function tensorGraph(network: RecognisedNetwork, shape: ImageBatchShape, target?: GraphTarget): Graph {
  return bareNetwork(network, shape, target).graph;
}

type ImageBatchShape = readonly [number, number, number, number];

function bareNetwork(
  network: RecognisedNetwork,
  shape: ImageBatchShape,
  target?: GraphTarget,
): { graph: Graph; outputs: NamedValues } {
  const [, , height, width] = shape;
  const { multipleOf, scale, side, architecture } = network;
  if (side !== undefined && (height !== side || width !== side)) {
    throw new NetworkInputError(`${architecture} takes images of ${side} x ${side} pixels, not ${width} x ${height}`);
  }
  const graph = new Graph(target);
  const input = graph.input('input', 'float32', shape);
  const padded = padToMultiple(input, multipleOf, network.padding ?? 'mirrored');
  const scalars = Object.keys(network.scalars ?? {}).map((name) => [name, graph.input(name, 'float32', [1])] as const);
  const answer = network.build(padded, Object.fromEntries(scalars));
  network.assertAllRead();
  const outputs: NamedValues =
    answer instanceof Value ? { output: answer.slice(2, 0, height * scale).slice(3, 0, width * scale) } : answer;
  for (const [name, value] of Object.entries(outputs)) graph.output(name, value);
  return { graph, outputs };
}
