import { Graph } from '../onnx/graph.ts';
import type { ProtoGraph } from '../onnx/model-proto.ts';
import { ELEMENT_CODES } from '../onnx/model-proto.ts';
import type { Value } from '../onnx/value.ts';
import { INTERNAL_DOMAIN } from './channels-last-operators.ts';

const OUTPUTS = ['constant', 'made', 'given'];
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

const BIAS = Float32Array.from({ length: CHANNELS }, (_, channel) => channel);

/**
 * Convolutions of the internal domain, with weights that are constant, that are made of constants, and that come in with their bias,
 * as a loop's do (beside a constant bias the kernels of onnxruntime 1.30 would take them to be in another order): they shift each channel of
 * a picture in a way of its own, and add its number. `picture` [1, 6, 9, 8], `weights` [8, 8, 3, 3] and `bias` [8] to `constant`, `made` and
 * `given`, of the picture's shape.
 */
export const CHANNELS_LAST_PROBE = {
  graph: probe,
  inputs: {
    picture: { type: 'float32', data: PICTURE, dims: [1, HEIGHT, WIDTH, CHANNELS] },
    weights: { type: 'float32', data: WEIGHTS, dims: [CHANNELS, CHANNELS, KERNEL, KERNEL] },
    bias: { type: 'float32', data: BIAS, dims: [CHANNELS] },
  },
  /** Whether outputs are what the operator is taken to calculate. */
  isRight: (outputs: Readonly<Record<string, { readonly data: ArrayLike<number | bigint> }>>): boolean =>
    OUTPUTS.every((name) => PICTURE.every((_, index) => outputs[name]?.data[index] === expectedAt(index))),
} as const;

function probe(): ProtoGraph {
  const graph = new Graph();
  const picture = graph.input('picture', 'float32', [1, HEIGHT, WIDTH, CHANNELS]);
  const given = graph.input('weights', 'float32', [CHANNELS, CHANNELS, KERNEL, KERNEL]);
  const givenBias = graph.input('bias', 'float32', [CHANNELS]);
  const constant = graph.constant([...WEIGHTS], given.shape.map(Number));
  const made = cast(cast(constant, 'float16'), 'float32');
  const bias = graph.constant([...BIAS]);
  const attributes = { kernel_shape: [KERNEL, KERNEL], strides: [1, 1], pads: [1, 1, 1, 1], group: 1 };
  for (const [name, ...weights] of [
    ['constant', constant, bias],
    ['made', made, bias],
    ['given', given, givenBias],
  ] as const) {
    const options = { op: 'Conv', domain: INTERNAL_DOMAIN, inputs: [picture, ...weights], attributes };
    graph.output(name, graph.node(options, picture.shape));
  }
  const contents = graph.contents();
  return { ...contents, domains: new Map([[INTERNAL_DOMAIN, contents.opset]]) };
}

function cast(value: Value, type: 'float16' | 'float32'): Value {
  const options = { op: 'Cast', inputs: [value], attributes: { to: ELEMENT_CODES[type] } };
  return value.graph.node(options, value.shape, type);
}

function expectedAt(index: number): number {
  const output = index % CHANNELS;
  const { input, y, x } = placeOf(output);
  const row = Math.floor(index / (WIDTH * CHANNELS)) + y - 1;
  const column = (Math.floor(index / CHANNELS) % WIDTH) + x - 1;
  const isInside = row >= 0 && row < HEIGHT && column >= 0 && column < WIDTH;
  return output + (isInside ? (PICTURE[(row * WIDTH + column) * CHANNELS + input] ?? 0) : 0);
}
