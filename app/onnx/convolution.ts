import { GraphError, WeightsError } from './errors.ts';
import type { Dim, Wire } from './graph.ts';
import type { Value } from './value.ts';
import { weightFor } from './weight-for.ts';
import type { Weights } from './weights.ts';

/** Top, left, bottom, right. */
export type Sides = readonly [number, number, number, number];

/** Geometry that a convolution's weight does not tell. */
export interface ConvOptions {
  readonly stride?: number;
  /** Zero padding on every side; by default what keeps the size at stride 1 (`(kernel - 1) / 2`). */
  readonly padding?: number | Sides;
  readonly groups?: number;
  /** Distance between the pixels that a kernel sees; the default padding follows it. */
  readonly dilation?: number;
  /** False where the layer has none: its file must not have one either, as it must have one otherwise. */
  readonly bias?: false;
}

/** A convolution's operands where they are not simply `weight` and `bias` of the file. */
export interface ConvOperands {
  /** OIHW, all sizes known. */
  readonly weight: Wire;
  /** [O]. */
  readonly bias?: Wire | undefined;
}

/** 2-d convolution of NCHW `x`. `Value.conv` takes its operands from the checkpoint, this one from anywhere. */
export function convolve(x: Value, { weight, bias }: ConvOperands, options: ConvOptions = {}): Value {
  const { stride = 1, groups = 1, dilation = 1 } = options;
  const [outputs, inputs, kernelH, kernelW] = weight.shape.map((size) => size ?? 0);
  if (!outputs || !inputs || !kernelH || !kernelW) {
    throw new GraphError(`${weight.name}: [${weight.shape.join()}] is no convolution weight`);
  }
  if (inputs * groups !== x.size(1)) {
    throw new WeightsError(
      `${x.graph.describe(weight)}: takes ${inputs * groups} channels, its input has ${x.size(1)} (of ${x.graph.describe(x)})`,
    );
  }
  const [reachH, reachW] = [(kernelH - 1) * dilation + 1, (kernelW - 1) * dilation + 1];
  assertKernel(x.graph.describe(weight), [reachH, reachW], options);
  const [top, left, bottom, right] = sidesOf(options.padding, reachH, reachW);
  const attributes = {
    kernel_shape: [kernelH, kernelW],
    strides: [stride, stride],
    pads: [top, left, bottom, right],
    group: groups,
    ...(dilation > 1 && { dilations: [dilation, dilation] }),
  };
  const [n = null, , h = null, w = null] = x.shape;
  const shape = [
    n,
    outputs,
    strided(h, { kernel: reachH, padding: top + bottom, stride }),
    strided(w, { kernel: reachW, padding: left + right, stride }),
  ];
  return x.graph.node({ op: 'Conv', inputs: bias ? [x, weight, bias] : [x, weight], attributes }, shape);
}

/**
 * `nn.Conv2d(in, out, 3, 1, 1)`: keeps the size, and has `weight` and `bias` of just the shapes that such a layer has.
 * @param outputs channels it gives; whatever the file says where left out
 */
export function conv3x3(x: Value, weights: Weights, outputs: number | null = null): Value {
  return squareConv(x, weights, outputs, 3);
}

/** `nn.Conv2d(in, out, 1)`, as `conv3x3` is of 3x3: a linear layer over the channels of every pixel. */
export function conv1x1(x: Value, weights: Weights, outputs: number | null = null): Value {
  return squareConv(x, weights, outputs, 1);
}

function squareConv(x: Value, weights: Weights, outputs: number | null, kernel: number): Value {
  const weight = weightFor(x, weights, 'weight', [outputs, x.size(1), kernel, kernel]);
  return convolve(x, { weight, bias: x.graph.weight(weights.take('bias', [weight.size(0)])) });
}

/** A depthwise convolution: every channel by a kernel of its own (`weight` [C, 1, kernel, kernel], `bias` [C]). */
export function depthwiseConv(x: Value, weights: Weights, options: Omit<ConvOptions, 'groups'> = {}): Value {
  const channels = x.size(1);
  const weight = weightFor(x, weights, 'weight', [channels, 1, null, null]);
  const bias = options.bias ?? x.graph.weight(weights.take('bias', [channels]));
  return convolve(x, { weight, bias: bias || undefined }, { ...options, groups: channels });
}

/**
 * `nn.ConvTranspose2d(in, out, kernel, stride, padding)`, which enlarges by its stride: `weight` (IOHW) and `bias`.
 * @param options `bias: false` where the layer has none
 */
export function convTranspose(
  x: Value,
  weights: Weights,
  { stride, padding = 0, bias: hasBias }: { stride: number; padding?: number; bias?: false },
): Value {
  const weight = weightFor(x, weights, 'weight', [x.size(1), null, null, null]);
  const [outputs, kernelH, kernelW] = [weight.size(1), weight.size(2), weight.size(3)];
  assertKernel(x.graph.describe(weight), [kernelH, kernelW], { stride, padding });
  const bias = hasBias ?? x.graph.weight(weights.take('bias', [outputs]));
  const attributes = {
    kernel_shape: [kernelH, kernelW],
    strides: [stride, stride],
    pads: [padding, padding, padding, padding],
  };
  const [n = null, , h = null, w = null] = x.shape;
  const grown = (size: Dim, kernel: number): Dim => (size === null ? null : (size - 1) * stride + kernel - 2 * padding);
  const inputs = bias ? [x, weight, bias] : [x, weight];
  const shape = [n, outputs, grown(h, kernelH), grown(w, kernelW)];
  return x.graph.node({ op: 'ConvTranspose', inputs, attributes }, shape);
}

function assertKernel(name: string, reach: readonly [number, number], { padding, stride = 1 }: ConvOptions): void {
  if (padding === undefined && stride === 1) assertKeepsSize(name, reach);
  else if (typeof padding !== 'object' && reach[0] !== reach[1]) {
    throw new WeightsError(`${name}: a kernel of ${reach.join(' x ')} pixels; this layer's is a square`);
  }
}

/**
 * @param reach height and width that a kernel spans
 * @throws WeightsError where no padding of equal ends has a picture come out as large as it went in
 */
export function assertKeepsSize(name: string, [height, width]: readonly [number, number]): void {
  if (height % 2 === 1 && width % 2 === 1) return;
  throw new WeightsError(`${name}: a kernel of ${height} x ${width} pixels; one that keeps the size has odd sides`);
}

function sidesOf(padding: ConvOptions['padding'], kernelH: number, kernelW: number): Sides {
  if (typeof padding === 'number') return [padding, padding, padding, padding];
  if (padding) return padding;
  const [h, w] = [(kernelH - 1) >> 1, (kernelW - 1) >> 1];
  return [h, w, h, w];
}

/** The size that a sliding window leaves; `padding` is that of both ends together. */
export function strided(size: Dim, window: { kernel: number; padding: number; stride: number }): Dim {
  return size === null ? null : Math.floor((size + window.padding - window.kernel) / window.stride) + 1;
}
