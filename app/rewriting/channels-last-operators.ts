import type { ProtoInitializer, ProtoNode } from '../onnx/model-proto.ts';
import type { Layouts } from './layouts.ts';
import { axisInLast, inLastOrder } from './layouts.ts';

/** The domain of onnxruntime's own operators with channels last, which its CUDA provider has kernels for. */
export const INTERNAL_DOMAIN = 'com.ms.internal.nhwc';

/** What is needed to write a node for pictures with channels last. */
export interface LayoutContext {
  readonly layouts: Layouts;
  /** A constant by its name. */
  readonly constant: (name: string | undefined) => ProtoInitializer | undefined;
}

type Form = Pick<ProtoNode, 'op' | 'domain' | 'inputs' | 'attributes'>;
type Rewriting = (node: ProtoNode, context: LayoutContext) => Form | undefined;

const pixelwise: Rewriting = ({ op, domain, inputs: [picture = '', ...others], attributes }, { layouts }) => {
  return { op, domain, inputs: [layouts.last(picture), ...others], attributes };
};

const stretching: Rewriting = ({ op, domain, inputs, attributes }, { layouts }) => {
  const operands = inputs.map((name) => layouts.stretched(name));
  const known = operands.filter((name) => name !== undefined);
  return known.length === operands.length ? { op, domain, inputs: known, attributes } : undefined;
};

const REWRITINGS: Readonly<Record<string, Rewriting>> = {
  Relu: pixelwise,
  LeakyRelu: pixelwise,
  Sigmoid: pixelwise,
  Gelu: pixelwise,
  Sqrt: pixelwise,
  Tanh: pixelwise,
  Exp: pixelwise,
  Softplus: pixelwise,
  Round: pixelwise,
  Cast: pixelwise,
  IsNaN: pixelwise,
  Clip: pixelwise,
  Add: stretching,
  Sub: stretching,
  Mul: stretching,
  Div: stretching,
  PRelu: stretching,
  Concat: (node, { layouts }) => {
    const inputs = node.inputs.map((name) => layouts.last(name));
    return { ...node, inputs, attributes: { axis: axisInLast(Number(node.attributes['axis'])) } };
  },
  Slice: (node, { layouts, constant }) => {
    const [picture = '', starts = '', ends = '', axes, ...steps] = node.inputs;
    const moved = moveAxes(constant(axes), layouts);
    return moved === undefined
      ? undefined
      : { ...node, inputs: [layouts.last(picture), starts, ends, moved, ...steps] };
  },
  ReduceMean: overAxes,
  ReduceSum: overAxes,
  AveragePool: ({ domain, inputs: [picture = ''], attributes }, { layouts }) => {
    const { kernel_shape: kernel } = attributes; // of one pixel it changes nothing, and is there for the CPU's layout
    if (!isList(kernel) || !kernel.every((side) => side === 1)) return undefined;
    return { op: 'Identity', domain, inputs: [layouts.last(picture)], attributes: {} };
  },
  GlobalAveragePool: ({ inputs: [picture = ''] }, { layouts }) => {
    const axes = integers('last_sides', [1, 2], layouts);
    return { op: 'ReduceMean', domain: '', inputs: [layouts.last(picture), axes], attributes: { keepdims: 1 } };
  },
  Resize: (node, { layouts, constant }) => {
    const [picture = '', region = '', ...sides] = node.inputs;
    const moved = sides.map((name) => (name === '' ? name : inLast(constant(name), layouts)));
    const known = moved.filter((name) => name !== undefined);
    // Other modes take the last two axes to be the sides.
    if (node.attributes['mode'] !== 'nearest' || known.length < moved.length) return undefined;
    return { ...node, inputs: [layouts.last(picture), region, ...known] };
  },
  Pad: (node, { layouts, constant }) => {
    const [picture = '', pads, ...value] = node.inputs;
    const moved = inLast(constant(pads), layouts);
    return moved === undefined ? undefined : { ...node, inputs: [layouts.last(picture), moved, ...value] };
  },
};

/** A node as one for pictures with channels last: undefined where there is no such form. */
export function channelsLastForm(node: ProtoNode, context: LayoutContext): Form | undefined {
  return node.domain === '' ? REWRITINGS[node.op]?.(node, context) : undefined;
}

/** Whether a convolution is of the kind whose internal form was tried: in one group, dense, padded alike on opposite sides. */
export function isChannelsLastConv({ op, domain, inputs: [picture = ''], attributes }: ProtoNode, layouts: Layouts) {
  const { group = 1, dilations = [1], pads = [] } = attributes;
  if (op !== 'Conv' || domain !== '' || group !== 1 || !isList(dilations) || !isList(pads)) return false;
  const isEven = pads.every((size, side) => size === pads[(side + 2) % pads.length]);
  return isEven && dilations.every((step) => step === 1) && layouts.isPicture(picture);
}

/** The form with channels last of a convolution that `isChannelsLastConv` is true of, for the runtime's own kernels. */
export function channelsLastConv({ op, inputs, attributes }: ProtoNode, layouts: Layouts): Form {
  const [picture = '', ...weights] = inputs;
  return { op, domain: INTERNAL_DOMAIN, inputs: [layouts.last(picture), ...weights], attributes };
}

function overAxes(node: ProtoNode, { layouts, constant }: LayoutContext): Form | undefined {
  const [picture = '', axes] = node.inputs;
  const moved = moveAxes(constant(axes), layouts);
  if (moved === undefined || node.attributes['keepdims'] !== 1) return undefined;
  return { ...node, inputs: [layouts.last(picture), moved] };
}

function isList(value: unknown): value is readonly number[] {
  return Array.isArray(value);
}

function moveAxes(axes: ProtoInitializer | undefined, layouts: Layouts): string | undefined {
  const values = integersOf(axes);
  return axes && values && integers(`last_axes_${axes.name}`, values.map(axisInLast), layouts);
}

/** A constant that has a number for each axis, or two: those before and behind. */
function inLast(constant: ProtoInitializer | undefined, layouts: Layouts): string | undefined {
  if (constant?.type === 'float32' && constant.data instanceof Uint8Array) {
    const values = new Float32Array(constant.data.slice().buffer);
    const data = new Uint8Array(Float32Array.from(inLastOrder([...values])).buffer);
    return added({ ...constant, name: `last_${constant.name}`, data }, layouts);
  }
  const values = integersOf(constant);
  if (!constant || !values) return undefined;
  const moved = [values.slice(0, 4), values.slice(4)].flatMap((half) => inLastOrder(half));
  return integers(`last_${constant.name}`, moved, layouts);
}

function integersOf(constant: ProtoInitializer | undefined): number[] | undefined {
  if (constant?.type !== 'int64' || !(constant.data instanceof Uint8Array)) return undefined;
  return [...new BigInt64Array(constant.data.slice().buffer)].map(Number);
}

function integers(name: string, values: readonly number[], layouts: Layouts): string {
  const data = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
  return added({ name, type: 'int64', shape: [values.length], data }, layouts);
}

function added(constant: ProtoInitializer, { initializers, wires }: Layouts): string {
  if (!wires.has(constant.name)) initializers.push(constant);
  wires.set(constant.name, constant);
  return constant.name;
}
