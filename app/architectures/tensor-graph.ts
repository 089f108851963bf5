import { Graph } from '../onnx/graph.ts';
import type { Value } from '../onnx/value.ts';
import type { RecognisedNetwork } from './registry.ts';

/**
 * The bare network as an ONNX model, as conformance is measured: input `input`, float32 [N, C, H, W] in the range the
 * reference takes; output `output`, not clipped. Sizes that the network cannot take are padded right and bottom as the
 * reference does (reflect up to side - 1, then replicate) and the result is cropped.
 */
export function buildTensorGraph(
  network: RecognisedNetwork,
  shape: readonly [number, number, number, number],
): Uint8Array {
  const [, , height, width] = shape;
  const { multipleOf, scale } = network;
  const graph = new Graph();
  const input = graph.input('input', 'float32', shape);
  const padded = padTo(input, Math.ceil(height / multipleOf) * multipleOf, Math.ceil(width / multipleOf) * multipleOf);
  const output = network.build(padded);
  network.assertAllRead();
  graph.output('output', output.slice(2, 0, height * scale).slice(3, 0, width * scale));
  return graph.serialize();
}

function padTo(image: Value, height: number, width: number): Value {
  const missing = (axis: 2 | 3, wanted: number) => wanted - image.size(axis);
  const reflectH = Math.min(missing(2, height), image.size(2) - 1);
  const reflectW = Math.min(missing(3, width), image.size(3) - 1);
  const reflected = image.pad([0, 0, reflectH, reflectW], 'reflect');
  return reflected.pad([0, 0, height - reflected.size(2), width - reflected.size(3)], 'edge');
}
