import type { BitDepth, Channels } from '../imaging/image.ts';
import { maxSample } from '../imaging/image.ts';
import { GraphError, UnknownSizeError } from '../onnx/errors.ts';
import type { Dim } from '../onnx/graph.ts';
import type { GraphTarget } from '../onnx/graph.ts';
import { Graph } from '../onnx/graph.ts';
import { hasNan } from '../onnx/not-a-number.ts';
import { Value } from '../onnx/value.ts';
import type { NamedValues } from './architecture.ts';
import type { RecognisedNetwork } from './registry.ts';
import type { Views } from './mirrored-views.ts';
import { meanOfViews, mirroredViews } from './mirrored-views.ts';
import type { NetworkChannels } from './picture-channels.ts';
import { assertTakesPictures, fromNetwork, toNetwork } from './picture-channels.ts';

/** The pixels that go in: known sizes make a graph that loads twice as fast; null leaves a side open. */
export interface ImageGraphShape {
  readonly width: Dim;
  readonly height: Dim;
  readonly channels: Channels;
  readonly depth: BitDepth;
  /** The alpha channel is known to be full everywhere: it stays so, and does not go through the network. */
  readonly isOpaque?: boolean;
  /** How many mirrored views of the picture the result is the mean of; by default one, the picture itself. */
  readonly views?: Views;
}

/**
 * The whole way of a tile as one ONNX graph: input `pixels` [H, W, C] of uint8 or uint16, output `pixels_out` of the same
 * kind, `scale` times as large, and `has_nan`, 1 where the network made a NaN. Layout, range, clipping and rounding are
 * inside. Gray goes through a colour network as three equal channels and comes back as luma; alpha goes through as gray of
 * its own (as RealESRGANer does); a gray network takes every channel as an image. `resultChannels` tells how many channels
 * `pixels_out` has.
 * @throws UnknownNetworkError where no picture can go through the network
 * @throws GraphError where a side is left open and the network has to know it
 */
export function buildImageGraph(network: RecognisedNetwork, shape: ImageGraphShape, target?: GraphTarget): Graph {
  if (shape.width !== null && shape.height !== null) return imageGraph(network, shape, target);
  if (network.sides === 'fixed') throw openSides(network);
  try {
    return imageGraph(network, shape, target);
  } catch (error) {
    throw error instanceof UnknownSizeError ? openSides(network, error) : error;
  }
}

/** The error of a graph with open sides for a network that must know them. */
function openSides({ architecture }: RecognisedNetwork, cause?: UnknownSizeError): GraphError {
  const wish = `${architecture} needs the width and height of its picture while its graph is built, and they are left open here`;
  return new GraphError(cause ? `${wish}; its architecture should declare sides: 'fixed' (${cause.message})` : wish, {
    cause,
  });
}

function imageGraph(network: RecognisedNetwork, shape: ImageGraphShape, target?: GraphTarget): Graph {
  assertTakesPictures(network);
  const graph = new Graph(target);
  const outputs = graph.region('network', imagesOf(graph, network, shape), (pictures) => pictureOf(network, pictures));
  network.assertAllRead();
  outputPixels(outputs, network, shape);
  return graph;
}

/** The input `pixels` [H, W, C] of a graph, as the images that a network takes: [N, inputChannels, H, W] in 0..1. */
export function imagesOf(graph: Graph, network: NetworkChannels, shape: ImageGraphShape): Value {
  const { width, height, channels, depth, views = 1, isOpaque = false } = shape;
  const pixels = graph.input('pixels', sampleType(depth), [height, width, channels]);
  const planes = pixels
    .cast('float32')
    .divide(graph.constant(maxSample(depth)))
    .transpose([2, 0, 1]); // [C, H, W]
  return mirroredViews(toNetwork(planes, network, { channels, isOpaque }), views);
}

/** Makes what a network gave for `imagesOf` the outputs `pixels_out` and `has_nan` of its graph. */
export function outputPixels(images: Value, network: NetworkChannels, shape: ImageGraphShape): void {
  const { graph } = images;
  const { channels, depth, views = 1, isOpaque = false } = shape;
  const output = meanOfViews(images, views);
  graph.output('has_nan', hasNan(output));
  const result = fromNetwork(output.clip(0, 1), network, { channels, isOpaque }); // [C, H scale, W scale]
  graph.output('pixels_out', result.scale(maxSample(depth)).round().cast(sampleType(depth)).transpose([1, 2, 0]));
}

function sampleType(depth: BitDepth): 'uint8' | 'uint16' {
  return depth === 16 ? 'uint16' : 'uint8';
}

function pictureOf(network: RecognisedNetwork, image: Value): Value {
  const presets = Object.entries(network.scalars ?? {}).map(([name, value]) => [name, image.graph.constant([value])]);
  const output = network.build(image, Object.fromEntries(presets) as NamedValues);
  if (output instanceof Value) return output;
  throw new GraphError(`${network.architecture} gives no picture; its architecture should declare a role`);
}
