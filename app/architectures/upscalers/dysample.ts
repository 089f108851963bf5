import type { Graph } from '../../onnx/graph.ts';
import { gridSample } from '../../onnx/resize.ts';
import type { Value } from '../../onnx/value.ts';
import type { Weights } from '../../onnx/weights.ts';

/**
 * DySample (arXiv:2308.15085): enlarges NCHW `x` by looking it up, bilinearly, where two 1x1 convolutions say for every pixel
 * of the result and every group of channels; `end_conv`, where the file has one, makes the picture's channels of it.
 */
export function dySample(x: Value, weights: Weights, scale: number): Value {
  const [height, width] = [x.size(2), x.size(3)];
  const scope = x.conv(weights.at('scope'), { bias: false }).sigmoid().scale(0.5);
  const offset = x.conv(weights.at('offset')).multiply(scope);
  const channels = offset.size(1);
  const groups = channels / 2 / scale ** 2;
  const moved = offset.add(x.graph.weight(weights.take('init_pos', [1, channels, 1, 1])));
  const images = x.size(0);
  // x first, then y; each from -1 to 1 over the picture.
  const byAxis = moved.reshape([images, 2, channels / 2, height, width]);
  const steps = x.graph.constant([2 / width, 2 / height], [1, 2, 1, 1, 1]);
  const places = byAxis.multiply(steps).add(pixelCentres(x.graph, height, width));
  const shuffled = places.reshape([images, channels, height, width]).pixelShuffle(scale);
  const grid = shuffled
    .reshape([images, 2, groups, height * scale, width * scale])
    .transpose([0, 2, 3, 4, 1])
    .reshape([images * groups, height * scale, width * scale, 2]);
  const perGroup = x.reshape([images * groups, x.size(1) / groups, height, width]);
  const sampled = gridSample(perGroup, grid).reshape([images, x.size(1), height * scale, width * scale]);
  return weights.has('end_conv') ? sampled.conv(weights.at('end_conv')) : sampled;
}

/** [1, 2, 1, H, W]: where the middle of each pixel lies, x and y, from -1 to 1. */
function pixelCentres(graph: Graph, height: number, width: number): Value {
  const centre = (index: number, size: number): number => (2 * (index + 0.5)) / size - 1;
  const count = height * width;
  const columns = Array.from({ length: count }, (_, i) => centre(i % width, width));
  const rows = Array.from({ length: count }, (_, i) => centre(Math.floor(i / width), height));
  return graph.constant([...columns, ...rows], [1, 2, 1, height, width]);
}
