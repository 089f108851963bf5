import { GraphError } from './errors.ts';
import type { Attribute, ElementType, ProtoGraph, ProtoInitializer, ProtoNode, ProtoValue } from './model-proto.ts';
import { serializeModel } from './model-proto.ts';
import type { WeightTensor } from './weights.ts';
import { Value } from './value.ts';

/** A size, or null where it is known only when the graph runs. */
export type Dim = number | null;

/** A value before it has operations: what nodes pass to one another. */
export interface Wire {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly Dim[];
}

/** How a node comes to be. */
export interface NodeOptions {
  readonly op: string;
  /** Operands in order; null leaves an optional one out. */
  readonly inputs: readonly (Wire | null)[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly domain?: string;
}

/**
 * A part of a graph that its network declares to be of a kind, so that it can be rewritten as a whole. `dense-block`: from the
 * block's input to what is added to it; convolutions that each see all that was made before. `trunk`: what dense blocks are
 * chained in; beside them it only adds, and scales by numbers. `head`: what makes a picture of the trunk's features, by 3x3 convolutions,
 * leaky ReLU and pixels repeated twice. `network`: all that has weights, from a picture to a picture.
 * `block`: one of several that follow one another, alike but for their weights.
 */
export interface Region {
  readonly kind: 'dense-block' | 'trunk' | 'head' | 'network' | 'block';
  /** Names of the values that go in and come out. */
  readonly input: string;
  readonly output: string;
  /** Its nodes in the graph's list: the first, and the one after the last. */
  readonly nodes: readonly [from: number, to: number];
}

/** A graph with what was declared of it: what a rewriting works on. */
export interface DeclaredGraph extends ProtoGraph {
  readonly regions: readonly Region[];
  /** Every value by its name, constants too. */
  readonly wires: ReadonlyMap<string, Wire>;
}

const OPSET = 20;
const MICROSOFT_DOMAIN = 'com.microsoft';

/** What a graph is to run on, where an operation has a form for either. */
export type GraphTarget = 'cpu' | 'gpu';

/** An ONNX graph in the making: values are made by operations on values, weights come from the state dict. */
export class Graph {
  readonly target: GraphTarget;
  readonly #inputs: ProtoValue[] = [];
  readonly #outputs: ProtoValue[] = [];
  readonly #nodes: ProtoNode[] = [];
  readonly #initializers: ProtoInitializer[] = [];
  readonly #weights = new Map<string, Value>();
  readonly #constants = new Map<string, Value>();
  readonly #domains = new Map<string, number>();
  readonly #regions: Region[] = [];
  readonly #wires = new Map<string, Wire>();
  /** For a value the weight that it was last made with. */
  readonly #origins = new Map<string, string>();
  #counter = 0;

  constructor(target: GraphTarget = 'cpu') {
    this.target = target;
  }

  /** A graph input. Unknown sizes are named after the input and their axis. */
  input(name: string, type: ElementType, shape: readonly Dim[]): Value {
    this.#inputs.push(protoValue({ name, type, shape }));
    return this.#value({ name, type, shape });
  }

  /** Makes `value` a graph output called `name`. */
  output(name: string, value: Wire): void {
    this.#nodes.push({ op: 'Identity', domain: '', inputs: [value.name], outputs: [name], attributes: {} });
    this.#outputs.push(protoValue({ name, type: value.type, shape: value.shape }));
  }

  /** A weight as float32; one of another type is cast, as torch does (folded once when the session loads). */
  weight(tensor: WeightTensor): Value {
    const known = this.#weights.get(tensor.name);
    if (known) return known;
    const stored = this.#value(tensor);
    this.#initializers.push(tensor);
    const value = tensor.type === 'float32' ? stored : stored.cast('float32');
    this.#weights.set(tensor.name, value);
    this.#origins.set(value.name, tensor.name);
    return value;
  }

  /** A float32 constant; without a shape, a scalar. */
  constant(values: number | readonly number[], shape?: readonly number[]): Value {
    const list = Float32Array.from(typeof values === 'number' ? [values] : values);
    const sizes = shape ?? (typeof values === 'number' ? [] : [list.length]);
    return this.#constant({ type: 'float32', shape: sizes, values: list.join() }, () => list);
  }

  /** A one-dimensional int64 constant: shapes, axes, indices. */
  integers(values: readonly number[]): Value {
    // Sizes are computed from the shapes of a file, and those of a damaged one need not divide.
    if (!values.every(Number.isSafeInteger)) throw new GraphError(`expected whole numbers, got ${values.join(', ')}`);
    const told = { type: 'int64', shape: [values.length], values: values.join() } as const;
    return this.#constant(told, () => BigInt64Array.from(values, BigInt));
  }

  /** Appends a node with one output. */
  node(options: NodeOptions, shape: readonly Dim[], type: ElementType = 'float32'): Value {
    const [value] = this.nodes(options, [{ shape, type }]);
    if (!value) throw new GraphError(`${options.op}: no output`);
    return value;
  }

  /** Appends a node with several outputs. */
  nodes(options: NodeOptions, outputs: readonly Pick<Wire, 'shape' | 'type'>[]): Value[] {
    const { op, inputs, attributes = {}, domain = '' } = options;
    if (domain === MICROSOFT_DOMAIN) this.#domains.set(domain, 1);
    const values = outputs.map((output) => this.#value({ name: `${op}_${this.#counter++}`, ...output }));
    const origin = this.#originOf(inputs);
    if (origin !== undefined) for (const { name } of values) this.#origins.set(name, origin);
    this.#nodes.push({
      op,
      domain,
      inputs: inputs.map((wire) => wire?.name ?? ''),
      outputs: values.map((value) => value.name),
      attributes,
    });
    return values;
  }

  /** Declares what `build` makes of `input` to be a region. */
  region(kind: Region['kind'], input: Value, build: (input: Value) => Value): Value {
    const from = this.#nodes.length;
    const output = build(input);
    this.#regions.push({ kind, input: input.name, output: output.name, nodes: [from, this.#nodes.length] });
    return output;
  }

  /** How a value is called where it does not fit: by the weight that it was last made with, if by any. */
  describe({ name }: Wire): string {
    return this.#origins.get(name) ?? name;
  }

  /** What was declared, in the order in which regions ended. */
  get regions(): readonly Region[] {
    return this.#regions;
  }

  /** What the graph holds. */
  contents(): DeclaredGraph {
    return {
      opset: OPSET,
      domains: this.#domains,
      inputs: this.#inputs,
      outputs: this.#outputs,
      nodes: this.#nodes,
      initializers: this.#initializers,
      regions: this.#regions,
      wires: this.#wires,
    };
  }

  /** The bytes of the finished ONNX model. */
  serialize(): Uint8Array {
    return serializeModel(this.contents());
  }

  #value({ name, type, shape }: Wire): Value {
    this.#wires.set(name, { name, type, shape });
    return new Value(this, { name, type, shape });
  }

  #originOf(inputs: NodeOptions['inputs']): string | undefined {
    const [first, ...others] = inputs.flatMap((wire) => (wire ? [wire.name] : []));
    const weight = others.find((name) => this.#weights.get(this.#origins.get(name) ?? '')?.name === name);
    return this.#origins.get(weight ?? first ?? '');
  }

  /** @param numbers asked for where no such constant is known */
  #constant({ type, shape, values }: Constant, numbers: () => Float32Array | BigInt64Array): Value {
    const key = `${type}[${shape.join()}]:${values}`;
    const known = this.#constants.get(key);
    if (known) return known;
    const name = `constant_${this.#constants.size}`;
    const { buffer, byteOffset, byteLength } = numbers();
    this.#initializers.push({ name, type, shape, data: new Uint8Array(buffer, byteOffset, byteLength) });
    const value = this.#value({ name, type, shape });
    this.#constants.set(key, value);
    return value;
  }
}

/** What tells a constant from others. */
interface Constant {
  readonly type: ElementType;
  readonly shape: readonly number[];
  /** All of them, in writing. */
  readonly values: string;
}

function protoValue({ name, type, shape }: Wire): ProtoValue {
  return { name, type, shape: shape.map((size, axis) => size ?? `${name}_${axis}`) };
}
