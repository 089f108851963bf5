import type { BitDepth, Channels } from '../imaging/image.ts';
import { maxSample } from '../imaging/image.ts';
import { GraphError, UnknownSizeError } from '../onnx/errors.ts';
import type { Dim } from '../onnx/graph.ts';
import { Graph } from '../onnx/graph.ts';
import { hasNan } from '../onnx/not-a-number.ts';
import { Value } from '../onnx/value.ts';
import type { NamedValues } from './architecture.ts';
import type { RecognisedNetwork } from './registry.ts';
import { UnknownNetworkError } from './errors.ts';
import type { Views } from './mirrored-views.ts';
import { meanOfViews, mirroredViews } from './mirrored-views.ts';

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

/** Weights of R, G and B in gray, as OpenCV and Pillow have them (ITU-R BT.601). */
const LUMA = [0.299, 0.587, 0.114] as const;

/**
 * The whole way of a tile as one ONNX graph: input `pixels` [H, W, C] of uint8 or uint16, output `pixels_out` of the same
 * kind, `scale` times as large, and `has_nan`, 1 where the network made a NaN. Layout, range, clipping and rounding are
 * inside. Gray goes through a colour network as three equal channels and comes back as luma; alpha goes through as gray of
 * its own (as RealESRGANer does); a gray network takes every channel as an image.
 * @throws GraphError where a side is left open and the network has to know it
 */
export function buildImageGraph(network: RecognisedNetwork, shape: ImageGraphShape): Graph {
  if (shape.width !== null && shape.height !== null) return imageGraph(network, shape);
  if (network.sides === 'fixed') throw openSides(network);
  try {
    return imageGraph(network, shape);
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

function imageGraph(network: RecognisedNetwork, shape: ImageGraphShape): Graph {
  const graph = new Graph();
  const type = shape.depth === 16 ? 'uint16' : 'uint8';
  const pixels = graph.input('pixels', type, [shape.height, shape.width, shape.channels]);
  const range = maxSample(shape.depth);
  const planes = pixels.cast('float32').divide(graph.constant(range)).transpose([2, 0, 1]); // [C, H, W]
  const channels = shape.isOpaque ? ((shape.channels - 1) as Channels) : shape.channels;
  const seen = shape.isOpaque ? planes.slice(0, 0, channels) : planes;
  const { views = 1 } = shape;
  const images = mirroredViews(toNetwork(seen, network, channels), views);
  const outputs = graph.region('network', images, (pictures) => pictureOf(network, pictures));
  network.assertAllRead();
  const output = meanOfViews(outputs, views);
  graph.output('has_nan', hasNan(output));
  const shown = fromNetwork(output.clip(0, 1), channels); // [C, H scale, W scale]
  const result = shape.isOpaque ? shown.concat([shown.slice(0, 0, 1).clip(1, 1)], 0) : shown;
  graph.output('pixels_out', result.scale(range).round().cast(type).transpose([1, 2, 0]));
  return graph;
}

function pictureOf(network: RecognisedNetwork, image: Value): Value {
  const presets = Object.entries(network.scalars ?? {}).map(([name, value]) => [name, image.graph.constant([value])]);
  const output = network.role ? undefined : network.build(image, Object.fromEntries(presets) as NamedValues);
  if (output instanceof Value) return output;
  throw new UnknownNetworkError(
    `${network.architecture} is a ${network.role ?? 'network'} and cannot upscale pictures`,
  );
}

/** Whether a network's channels are those of pictures: 3 to 3, or 1 to 1. */
export function takesPictures({ inputChannels: inputs, outputChannels: outputs }: RecognisedNetwork): boolean {
  return inputs === outputs && (inputs === 1 || inputs === 3);
}

/** [C, H, W] to the [N, inputChannels, H, W] that the network takes. */
function toNetwork(planes: Value, network: RecognisedNetwork, channels: Channels): Value {
  const { inputChannels: inputs, outputChannels: outputs } = network;
  if (inputs === 1 && outputs === 1) return planes.unsqueeze(1);
  if (!takesPictures(network)) {
    throw new UnknownNetworkError(
      `the network takes ${inputs} channels and gives ${outputs}; images need one of 3 to 3 or 1 to 1`,
    );
  }
  const gray = (channel: number): Value => {
    const plane = planes.slice(0, channel, channel + 1).unsqueeze(0);
    return plane.concat([plane, plane]);
  };
  if (channels < 3) return channels === 1 ? gray(0) : gray(0).concat([gray(1)], 0);
  if (channels === 3) return planes.unsqueeze(0);
  return planes
    .slice(0, 0, 3)
    .unsqueeze(0)
    .concat([gray(3)], 0);
}

/** What the network gave, back to [C, H, W]. */
function fromNetwork(output: Value, channels: Channels): Value {
  if (output.size(1) === 1) return output.squeeze(1);
  if (channels < 3) return luma(output).squeeze(1);
  if (channels === 3) return output.squeeze(0);
  const color = output.slice(0, 0, 1).squeeze(0);
  const alpha = luma(output.slice(0, 1, 2)).squeeze(1);
  return color.concat([alpha], 0);
}

/** [N, 3, H, W] to [N, 1, H, W]. */
function luma(image: Value): Value {
  return image.multiply(image.graph.constant(LUMA, [1, 3, 1, 1])).sum(1);
}
