import { tanh } from '../../onnx/activation.ts';
import { depthwiseConv } from '../../onnx/convolution.ts';
import { WeightsError } from '../../onnx/errors.ts';
import type { Graph } from '../../onnx/graph.ts';
import { layerNorm2d } from '../../onnx/normalization.ts';
import { gridSampleCorners, resizeBilinearCorners } from '../../onnx/resize.ts';
import type { Value } from '../../onnx/value.ts';
import type { Weights } from '../../onnx/weights.ts';

const NO_BIAS = { bias: false } as const;
const EPSILON = 1e-6;

/** Of the reference's constructor; not in the file. */
const KERNEL = 3;
const PLACES = KERNEL ** 2;
const GROUPS = 2;
/** How far a place may move from where it would be, in pixels of the result. */
const RANGE = 11;

/**
 * LDA-AQU (arXiv:2411.19585): enlarges NCHW `x`; every pixel of the result is a mean of nine that it finds around itself, weighed by
 * attention. Reference: stinkybread/fdat, fdat.py.
 */
export function ldaUpsample(x: Value, weights: Weights, scale: number): Value {
  const [n, channels] = [x.size(0), x.size(1)];
  const [height, width] = [x.size(2) * scale, x.size(3) * scale];
  const normed = layerNorm2d(x, weights.at('layer_norm'), EPSILON);
  const query = resizeBilinearCorners(normed.conv(weights.at('proj_q'), NO_BIAS), height, width);
  const key = normed.conv(weights.at('proj_k'), NO_BIAS);
  const hidden = key.size(1);
  const grid = placesOf(query, weights.at('conv_offset'));
  const found = (map: Value): Value => {
    const perGroup = map.reshape([n * GROUPS, map.size(1) / GROUPS, x.size(2), x.size(3)]);
    return gridSampleCorners(perGroup, grid).reshape([n, map.size(1), PLACES, height, width]);
  };
  const keys = found(key).add(positionBias(x.graph, weights, hidden));
  const scores = query
    .scale(hidden ** -0.5)
    .unsqueeze(2)
    .multiply(keys)
    .sum(1)
    .softmax(2); // [N, 1, places, H scale, W scale]
  return found(x).multiply(scores).sum(2).reshape([n, channels, height, width]);
}

/** [1, hidden, places, 1, 1] */
function positionBias(graph: Graph, weights: Weights, hidden: number): Value {
  const shape = weights.shape('relative_position_bias_table');
  if (shape.join() !== [1, 1, 1, PLACES, hidden].join()) {
    throw new WeightsError(
      `relative_position_bias_table: expected [1, 1, 1, ${PLACES}, ${hidden}], got [${shape.join(', ')}]`,
    );
  }
  const table = graph.weight(weights.take('relative_position_bias_table', [1, 1, 1, PLACES, hidden]));
  return table.reshape([PLACES, hidden]).transpose([1, 0]).reshape([1, hidden, PLACES, 1, 1]);
}

/** Where the nine pixels lie that a pixel of the result asks, for each group of channels: [N groups, places H, W, 2], from -1 to 1, x first. */
function placesOf(query: Value, weights: Weights): Value {
  const [n, height, width] = [query.size(0), query.size(2), query.size(3)];
  const grouped = query.reshape([n * GROUPS, query.size(1) / GROUPS, height, width]);
  const normed = layerNorm2d(depthwiseConv(grouped, weights.at(0), NO_BIAS), weights.at(1), EPSILON);
  const moved = tanh(normed.multiply(normed.sigmoid()).conv(weights.at(3))).scale(RANGE);
  const places = moved.reshape([n * GROUPS, PLACES, 2, height, width]).add(ownPlaces(query.graph, height, width));
  const { graph } = query;
  const steps = graph.constant([2 / (height - 1), 2 / (width - 1)], [1, 1, 2, 1, 1]);
  return places
    .multiply(steps)
    .subtract(graph.constant(1))
    .gather(2, [1, 0]) // the network says y, x
    .transpose([0, 1, 3, 4, 2])
    .reshape([n * GROUPS, PLACES * height, width, 2]);
}

/** [1, places, 2, H, W]: y and x of the pixels around every pixel. */
function ownPlaces(graph: Graph, height: number, width: number): Value {
  const reach = (KERNEL - 1) / 2;
  const around = Array.from({ length: PLACES }, (_, place) => [
    Math.floor(place / KERNEL) - reach,
    (place % KERNEL) - reach,
  ]).flat();
  const count = height * width;
  const rows = Array.from({ length: count }, (_, i) => Math.floor(i / width));
  const columns = Array.from({ length: count }, (_, i) => i % width);
  const middle = graph.constant([...rows, ...columns], [1, 1, 2, height, width]);
  return graph.constant(around, [1, PLACES, 2, 1, 1]).add(middle);
}
