import type { ConvOptions, Sides } from './convolution.ts';
import { convolve } from './convolution.ts';
import { GraphError, UnknownSizeError } from './errors.ts';
import type { Dim, Graph, Wire } from './graph.ts';
import type { ElementType } from './model-proto.ts';
import { ELEMENT_CODES } from './model-proto.ts';
import type { Weights } from './weights.ts';

/**
 * The result of an operation in a graph; images are NCHW. Methods append nodes and check shapes while building, so that a
 * wrong network fails with the name of the weight that does not fit, not inside the runtime.
 */
export class Value implements Wire {
  readonly graph: Graph;
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly Dim[];

  constructor(graph: Graph, wire: Wire) {
    this.graph = graph;
    this.name = wire.name;
    this.type = wire.type;
    this.shape = wire.shape;
  }

  /** Size of an axis that must be known while building. */
  size(axis: number): number {
    const size = this.shape.at(axis);
    if (size === undefined || size === null) throw new UnknownSizeError(`${this.name}: axis ${axis} has no fixed size`);
    return size;
  }

  /** 2-d convolution with `weight` (OIHW) and `bias`. */
  conv(weights: Weights, options: ConvOptions = {}): Value {
    const weight = this.graph.weight(weights.take('weight', [null, null, null, null]));
    const bias = options.bias ?? this.graph.weight(weights.take('bias', [weight.size(0)]));
    return convolve(this, { weight, bias: bias || undefined }, options);
  }

  relu(): Value {
    return this.#unary('Relu');
  }

  sigmoid(): Value {
    return this.#unary('Sigmoid');
  }

  /** The exact GELU (by erf), as `nn.GELU()` is. */
  gelu(): Value {
    return this.#unary('Gelu');
  }

  sqrt(): Value {
    return this.#unary('Sqrt');
  }

  leakyRelu(slope: number): Value {
    return this.#unary('LeakyRelu', { alpha: { float: slope } });
  }

  /** PReLU with one slope a channel (`weight`, shape [C]). */
  prelu(weights: Weights): Value {
    const channels = this.size(1);
    const slope = this.graph.weight(weights.take('weight', [channels])).reshape([channels, 1, 1]);
    return this.graph.node({ op: 'PRelu', inputs: [this, slope] }, this.shape);
  }

  add(other: Value): Value {
    return this.#binary('Add', other);
  }

  subtract(other: Value): Value {
    return this.#binary('Sub', other);
  }

  multiply(other: Value): Value {
    return this.#binary('Mul', other);
  }

  divide(other: Value): Value {
    return this.#binary('Div', other);
  }

  /** Matrix product over the last two axes; the ones before are broadcast. */
  matmul(other: Value): Value {
    const [inner, otherInner] = [this.size(-1), other.size(-2)];
    if (inner !== otherInner)
      throw new GraphError(
        `MatMul: ${this.#described()} has ${inner} columns, ${other.#described()} ${otherInner} rows`,
      );
    const outer = broadcast(this.shape.slice(0, -2), other.shape.slice(0, -2));
    if (!outer) throw this.#unfit('MatMul', other);
    const shape = [...outer, this.shape.at(-2) ?? null, other.shape.at(-1) ?? null];
    return this.graph.node({ op: 'MatMul', inputs: [this, other] }, shape);
  }

  softmax(axis = -1): Value {
    return this.graph.node({ op: 'Softmax', inputs: [this], attributes: { axis } }, this.shape);
  }

  /** Multiplies by a number. */
  scale(factor: number): Value {
    return this.#binary('Mul', this.graph.constant(factor));
  }

  /** Clips to `low`..`high`. */
  clip(low: number, high: number): Value {
    const inputs = [this, this.graph.constant(low), this.graph.constant(high)];
    return this.graph.node({ op: 'Clip', inputs }, this.shape);
  }

  /** Rounds to the nearest whole number, halves to even as numpy does. */
  round(): Value {
    return this.#unary('Round');
  }

  cast(type: ElementType): Value {
    const attributes = { to: ELEMENT_CODES[type] };
    return this.graph.node({ op: 'Cast', inputs: [this], attributes }, this.shape, type);
  }

  /** Joins values along `axis` (1 = channels), this one first. */
  concat(others: readonly Value[], axis = 1): Value {
    const all = [this, ...others];
    const shape = [...this.shape];
    shape[axis] = all.reduce((sum, value) => sum + value.size(axis), 0);
    return this.graph.node({ op: 'Concat', inputs: all, attributes: { axis } }, shape, this.type);
  }

  /** Elements `start .. end - 1` of an axis. */
  slice(axis: number, start: number, end: number): Value {
    const { graph } = this;
    const inputs = [this, graph.integers([start]), graph.integers([end]), graph.integers([axis])];
    const shape = [...this.shape];
    shape[axis] = end - start;
    return graph.node({ op: 'Slice', inputs }, shape, this.type);
  }

  /** Mirrors the value along axes. */
  flip(axes: readonly number[]): Value {
    const { graph } = this;
    const all = (value: number) => graph.integers(axes.map(() => value));
    const inputs = [this, all(-1), all(Number.MIN_SAFE_INTEGER), graph.integers(axes), all(-1)];
    return graph.node({ op: 'Slice', inputs }, this.shape, this.type);
  }

  transpose(order: readonly number[]): Value {
    const shape = order.map((axis) => this.shape[axis] ?? null);
    return this.graph.node({ op: 'Transpose', inputs: [this], attributes: { perm: order } }, shape, this.type);
  }

  /** To a shape that is wholly known. */
  reshape(shape: readonly number[]): Value {
    return this.graph.node({ op: 'Reshape', inputs: [this, this.graph.integers(shape)] }, shape, this.type);
  }

  /** Adds an axis of size 1. */
  unsqueeze(axis: number): Value {
    const shape = [...this.shape.slice(0, axis), 1, ...this.shape.slice(axis)];
    return this.graph.node({ op: 'Unsqueeze', inputs: [this, this.graph.integers([axis])] }, shape, this.type);
  }

  /** Drops an axis of size 1. */
  squeeze(axis: number): Value {
    const shape = this.shape.filter((_, i) => i !== axis);
    return this.graph.node({ op: 'Squeeze', inputs: [this, this.graph.integers([axis])] }, shape, this.type);
  }

  /** Enlarges by a whole factor, each pixel repeated (`F.interpolate(mode='nearest')`). */
  resizeNearest(factor: number): Value {
    if (factor === 1) return this;
    const scales = this.graph.constant([1, 1, factor, factor]);
    const attributes = {
      mode: 'nearest',
      coordinate_transformation_mode: 'asymmetric',
      nearest_mode: 'floor',
    };
    const [n = null, c = null, h = null, w = null] = this.shape;
    const shape = [n, c, times(h, factor), times(w, factor)];
    return this.graph.node({ op: 'Resize', inputs: [this, null, scales], attributes }, shape);
  }

  /** `F.pixel_shuffle`: [N, C r r, H, W] to [N, C, H r, W r]. */
  pixelShuffle(factor: number): Value {
    if (factor === 1) return this;
    const [n = null, , h = null, w = null] = this.shape;
    const shape = [n, this.size(1) / factor ** 2, times(h, factor), times(w, factor)];
    const attributes = { blocksize: factor, mode: 'CRD' };
    return this.graph.node({ op: 'DepthToSpace', inputs: [this], attributes }, shape);
  }

  /**
   * `F.pixel_unshuffle`: [N, C, H, W] to [N, C r r, H / r, W / r], output channel `c r r + dy r + dx`. ONNX's SpaceToDepth
   * orders them `(dy r + dx) C + c`, so the channels are gathered into PyTorch's order.
   */
  pixelUnshuffle(factor: number): Value {
    if (factor === 1) return this;
    const channels = this.size(1);
    const [n = null, , h = null, w = null] = this.shape;
    const shape = [n, channels * factor ** 2, over(h, factor), over(w, factor)];
    const blocks = this.graph.node({ op: 'SpaceToDepth', inputs: [this], attributes: { blocksize: factor } }, shape);
    const order = Array.from({ length: channels * factor ** 2 }, (_, index) => {
      const channel = Math.floor(index / factor ** 2);
      return (index % factor ** 2) * channels + channel;
    });
    return blocks.gather(1, order);
  }

  /** Picks elements of an axis by index. */
  gather(axis: number, indices: readonly number[]): Value {
    const shape = [...this.shape];
    shape[axis] = indices.length;
    const inputs = [this, this.graph.integers(indices)];
    return this.graph.node({ op: 'Gather', inputs, attributes: { axis } }, shape, this.type);
  }

  /** Pads top, left, bottom, right of [N, C, H, W]; `constant` is zeros. */
  pad(sides: Sides, mode: 'reflect' | 'edge' | 'constant'): Value {
    const [top, left, bottom, right] = sides;
    if (sides.every((side) => side === 0)) return this;
    const pads = this.graph.integers([0, 0, top, left, 0, 0, bottom, right]);
    const [n = null, c = null, h = null, w = null] = this.shape;
    const shape = [n, c, h === null ? null : h + top + bottom, w === null ? null : w + left + right];
    return this.graph.node({ op: 'Pad', inputs: [this, pads], attributes: { mode } }, shape);
  }

  /** Sum over axes, which stay with size 1. */
  sum(...axes: readonly number[]): Value {
    return this.#reduce('ReduceSum', axes);
  }

  /** Mean over axes, which stay with size 1. */
  mean(...axes: readonly number[]): Value {
    return this.#reduce('ReduceMean', axes);
  }

  #reduce(op: string, axes: readonly number[]): Value {
    const shape = this.shape.map((size, i) => (axes.includes(i) ? 1 : size));
    return this.graph.node({ op, inputs: [this, this.graph.integers(axes)], attributes: { keepdims: 1 } }, shape);
  }

  #unary(op: string, attributes: Readonly<Record<string, { float: number }>> = {}): Value {
    return this.graph.node({ op, inputs: [this], attributes }, this.shape);
  }

  #binary(op: string, other: Value): Value {
    const shape = broadcast(this.shape, other.shape);
    if (!shape) throw this.#unfit(op, other);
    return this.graph.node({ op, inputs: [this, other] }, shape);
  }

  #unfit(op: string, other: Value): GraphError {
    const [left, right] = [this, other].map((value) => `[${value.shape.join()}] of ${value.#described()}`);
    return new GraphError(`${op}: shapes ${left} and ${right} do not fit`);
  }

  #described(): string {
    return this.graph.describe(this);
  }
}

/** Sizes of 1 and missing outer axes stretch to the other operand's. Undefined where they do not fit. */
function broadcast(left: readonly Dim[], right: readonly Dim[]): Dim[] | undefined {
  const rank = Math.max(left.length, right.length);
  const size = (shape: readonly Dim[], i: number): Dim => (i < rank - shape.length ? 1 : (shape.at(i - rank) ?? null));
  const pairs = Array.from({ length: rank }, (_, i) => [size(left, i), size(right, i)] as const);
  if (pairs.some(([a, b]) => a !== null && b !== null && a !== b && a !== 1 && b !== 1)) return undefined;
  return pairs.map(([a, b]) => (a === 1 ? b : (a ?? (b === 1 ? a : b))));
}

function times(size: Dim, factor: number): Dim {
  return size === null ? null : size * factor;
}

function over(size: Dim, factor: number): Dim {
  if (size !== null && size % factor !== 0) throw new GraphError(`pixelUnshuffle: ${size} is no multiple of ${factor}`);
  return size === null ? null : size / factor;
}
