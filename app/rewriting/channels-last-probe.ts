import { Graph } from '../onnx/graph.ts';
import type { ProtoGraph } from '../onnx/model-proto.ts';
import { INTERNAL_DOMAIN } from './channels-last-operators.ts';

const [HEIGHT, WIDTH, CHANNELS, KERNEL] = [6, 9, 8, 3];

/** Which place of a kernel the only 1 of an output channel's weights has: all differ, so that no mistaken layout goes unseen. */
const placeOf = (output: number) => {
  return { input: (output + 3) % CHANNELS, y: output % KERNEL, x: (2 * output + (output >> 2)) % KERNEL };
};

/** Whole numbers that even ten bits hold: sums are exact in whatever a device calculates. */
const PICTURE = Float32Array.from({ length: HEIGHT * WIDTH * CHANNELS }, (_, index) => (index * 37) % 251);
const WEIGHTS = Float32Array.from({ length: CHANNELS ** 2 * KERNEL ** 2 }, (_, index) => {
  const [output, input] = [Math.floor(index / (CHANNELS * KERNEL ** 2)), Math.floor(index / KERNEL ** 2) % CHANNELS];
  const place = placeOf(output);
  return place.input === input && index % KERNEL ** 2 === place.y * KERNEL + place.x ? 1 : 0;
});

/**
 * Two convolutions of the internal domain, one with weights that are constant and one with weights that come in, as a loop's do: they
 * shift each channel of a picture in a way of its own, and add its number. `picture` [1, 6, 9, 8] and `weights` [8, 8, 3, 3] to
 * `constant` and `given`, of the picture's shape.
 */
export const CHANNELS_LAST_PROBE = {
  graph: probe,
  inputs: {
    picture: { type: 'float32', data: PICTURE, dims: [1, HEIGHT, WIDTH, CHANNELS] },
    weights: { type: 'float32', data: WEIGHTS, dims: [CHANNELS, CHANNELS, KERNEL, KERNEL] },
  },
  /** Whether an output is what the operator is taken to calculate. */
  isRight: (output: ArrayLike<number | bigint> | undefined): boolean =>
    output?.length === PICTURE.length && PICTURE.every((_, index) => output[index] === expectedAt(index)),
} as const;

function probe(): ProtoGraph {
  const graph = new Graph();
  const picture = graph.input('picture', 'float32', [1, HEIGHT, WIDTH, CHANNELS]);
  const given = graph.input('weights', 'float32', [CHANNELS, CHANNELS, KERNEL, KERNEL]);
  const constant = graph.constant([...WEIGHTS], given.shape.map(Number));
  const bias = graph.constant(Array.from({ length: CHANNELS }, (_, channel) => channel));
  const attributes = { kernel_shape: [KERNEL, KERNEL], strides: [1, 1], pads: [1, 1, 1, 1], group: 1 };
  for (const [name, weight] of Object.entries({ constant, given })) {
    const options = { op: 'Conv', domain: INTERNAL_DOMAIN, inputs: [picture, weight, bias], attributes };
    graph.output(name, graph.node(options, picture.shape));
  }
  const contents = graph.contents();
  return { ...contents, domains: new Map([[INTERNAL_DOMAIN, contents.opset]]) };
}

function expectedAt(index: number): number {
  const output = index % CHANNELS;
  const { input, y, x } = placeOf(output);
  const row = Math.floor(index / (WIDTH * CHANNELS)) + y - 1;
  const column = (Math.floor(index / CHANNELS) % WIDTH) + x - 1;
  const isInside = row >= 0 && row < HEIGHT && column >= 0 && column < WIDTH;
  return output + (isInside ? (PICTURE[(row * WIDTH + column) * CHANNELS + input] ?? 0) : 0);
}
