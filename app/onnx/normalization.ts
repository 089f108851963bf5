import type { ConvOptions } from './convolution.ts';
import type { Value } from './value.ts';
import { weightFor } from './weight-for.ts';
import type { Weights } from './weights.ts';

/** LayerNorm over the last axis, with `weight` and `bias` (`nn.LayerNorm`, whose own epsilon is 1e-5). */
export function layerNorm(x: Value, weights: Weights, epsilon: number): Value {
  const features = x.size(-1);
  const { graph } = x;
  const operands = ['weight', 'bias'].map((name) => weightFor(x, weights, name, [features]));
  const attributes = { axis: -1, epsilon: { float: epsilon } };
  return graph.node({ op: 'LayerNormalization', inputs: [x, ...operands], attributes }, x.shape);
}

/** LayerNorm over the channels of every pixel of NCHW. */
export function layerNorm2d(x: Value, weights: Weights, epsilon: number): Value {
  return layerNorm(x.transpose([0, 2, 3, 1]), weights, epsilon).transpose([0, 3, 1, 2]);
}

/** BatchNorm as it is in use: by the stored statistics (`nn.BatchNorm2d` in eval mode). */
export function batchNorm(x: Value, weights: Weights, epsilon = 1e-5): Value {
  const channels = x.size(1);
  const { graph } = x;
  const names = ['weight', 'bias', 'running_mean', 'running_var'];
  const operands = names.map((name) => weightFor(x, weights, name, [channels]));
  const attributes = { epsilon: { float: epsilon } };
  return graph.node({ op: 'BatchNormalization', inputs: [x, ...operands], attributes }, x.shape);
}

/** A convolution, which then has no bias, and BatchNorm: what onnxruntime makes one of. */
export function normedConv(x: Value, conv: Weights, norm: Weights, options: ConvOptions = {}): Value {
  return batchNorm(x.conv(conv, { ...options, bias: false }), norm);
}

/** GroupNorm of NCHW, with `weight` and `bias` a channel (`nn.GroupNorm`, whose own epsilon is 1e-5). */
export function groupNorm(x: Value, weights: Weights, { groups, epsilon }: { groups: number; epsilon: number }): Value {
  const [n, channels, h, w] = [x.size(0), x.size(1), x.size(2), x.size(3)];
  const { graph } = x;
  const [ones, zeros] = [new Array<number>(groups).fill(1), new Array<number>(groups).fill(0)];
  const grouped = x.reshape([n, groups, (channels / groups) * h * w]);
  const inputs = [grouped, graph.constant(ones), graph.constant(zeros)];
  const attributes = { epsilon: { float: epsilon } };
  const normal = graph.node({ op: 'InstanceNormalization', inputs, attributes }, grouped.shape);
  const perChannel = (name: string) => weightFor(x, weights, name, [channels]).reshape([channels, 1, 1]);
  return normal.reshape([n, channels, h, w]).multiply(perChannel('weight')).add(perChannel('bias'));
}

/** Vectors along `axis` at the length 1 (`F.normalize`). */
export function unitLength(x: Value, axis: number): Value {
  const { graph } = x;
  const shape = x.shape.map((size, i) => (i === axis ? 1 : size));
  const length = graph.node(
    { op: 'ReduceL2', inputs: [x, graph.integers([axis])], attributes: { keepdims: 1 } },
    shape,
  );
  return x.divide(length.clip(1e-12, LONGEST));
}

/** No length of finite vectors is more. */
const LONGEST = 3.4e38;
