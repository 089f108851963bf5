import { Graph } from '../../onnx/graph.ts';
import { hasNan } from '../../onnx/not-a-number.ts';
import { Value } from '../../onnx/value.ts';
import type { NamedValues, Network } from '../architecture.ts';
import { UnknownNetworkError } from '../errors.ts';
import type { RecognisedNetwork } from '../registry.ts';
import { RETINAFACE_MEAN_BGR } from './retinaface.ts';

/**
 * A face detector with its preparation as one ONNX model: input `pixels` [height, width, 3] of uint8, RGB; outputs `loc`, `conf` and
 * `landms` for every prior box, and `has_nan`.
 * @throws UnknownNetworkError where the network is something else; so do the other two
 */
export function buildDetectorGraph(network: RecognisedNetwork, width: number, height: number): Graph {
  assertRole(network, 'face-detector');
  const graph = new Graph();
  const pixels = graph.input('pixels', 'uint8', [height, width, 3]);
  const means = graph.constant(RETINAFACE_MEAN_BGR);
  const bgr = pixels.cast('float32').gather(2, [2, 1, 0]).subtract(means);
  const { loc, conf, landms } = namedValues(network.build(toPlanes(bgr), {}));
  if (!loc || !conf || !landms) throw wrongAnswer(network);
  network.assertAllRead();
  for (const [name, value] of Object.entries({ loc, conf, landms })) graph.output(name, value);
  graph.output('has_nan', hasNan(conf));
  return graph;
}

/**
 * A face restorer with its preparation: input `pixels` [side, side, 3] of uint8, RGB, an aligned face, and the network's scalars;
 * output `pixels_out` of the same kind, clipped and rounded (halves to even), and `has_nan`.
 */
export function buildRestorerGraph(network: RecognisedNetwork): Graph {
  assertRole(network, 'face-restorer');
  const graph = new Graph();
  const pixels = facePixels(graph, network);
  const scalars = Object.keys(network.scalars ?? {}).map((name) => [name, graph.input(name, 'float32', [1])] as const);
  const { output } = namedValues(network.build(pixels, Object.fromEntries(scalars)));
  if (!output) throw wrongAnswer(network);
  network.assertAllRead();
  graph.output('has_nan', hasNan(output));
  graph.output('pixels_out', toPixels(output));
  return graph;
}

/** A face parser with its preparation: input `pixels` as a restorer's; output `label` [side, side] of uint8. */
export function buildParserGraph(network: RecognisedNetwork): Graph {
  assertRole(network, 'face-parser');
  const graph = new Graph();
  const { label } = namedValues(network.build(facePixels(graph, network), {}));
  if (!label) throw wrongAnswer(network);
  network.assertAllRead();
  graph.output('label', label);
  return graph;
}

/** Width and height of an aligned face where the network does not say. */
const SIDE = 512;

/** The graph's input `pixels` as the networks for aligned faces take it: [1, 3, side, side] in -1..1. */
function facePixels(graph: Graph, { side = SIDE }: Network): Value {
  const pixels = graph.input('pixels', 'uint8', [side, side, 3]);
  const [range, half] = [graph.constant(255), graph.constant(0.5)];
  return toPlanes(pixels.cast('float32').divide(range).subtract(half).divide(half));
}

/** [1, 3, H, W] in -1..1 as [H, W, 3] in 0..255. */
export function toPixels(face: Value): Value {
  const one = face.graph.constant(1);
  const levels = face.clip(-1, 1).add(one).scale(0.5).scale(255).round();
  return levels.cast('uint8').squeeze(0).transpose([1, 2, 0]);
}

function toPlanes(pixels: Value): Value {
  return pixels.transpose([2, 0, 1]).unsqueeze(0);
}

function namedValues(answer: Value | NamedValues): NamedValues {
  return answer instanceof Value ? { output: answer } : answer;
}

function assertRole(network: RecognisedNetwork, role: NonNullable<Network['role']>): void {
  if (network.role === role) return;
  throw new UnknownNetworkError(
    `expected a ${role.replace('-', ' ')}, the file holds ${network.architecture}, a ${network.role ?? 'network for whole pictures'}`,
  );
}

function wrongAnswer({ architecture, role }: RecognisedNetwork): UnknownNetworkError {
  return new UnknownNetworkError(`${architecture} does not answer as a ${role ?? 'network'} does`);
}
