import { CheckpointError, quoted, shownName } from '../checkpoints/errors.ts';
import { halfToNumber } from '../checkpoints/read-tensor.ts';
import type { ProtobufField } from './protobuf-reader.ts';
import { FieldBudget, packedNumbers, protobufFields } from './protobuf-reader.ts';

/** A value that goes into or comes out of a model, as its file declares it. */
export interface DeclaredValue {
  readonly name: string;
  /** TensorProto.DataType; 0 where it is no tensor. */
  readonly elementCode: number;
  /** Null: a size that is known only when the model runs. Undefined: nothing is said of the shape. */
  readonly shape: readonly (number | null)[] | undefined;
}

/** A node of the model's graph, as far as it is looked at. */
export interface ModelNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** What is read of an ONNX file before anything runs it. */
export interface OnnxModel {
  readonly opset: number;
  readonly inputs: readonly DeclaredValue[];
  readonly outputs: readonly DeclaredValue[];
  readonly nodes: readonly ModelNode[];
  /** Constants of one element, by name. */
  readonly scalars: ReadonlyMap<string, number>;
  readonly tensors: number;
  readonly parameterCount: number;
}

/** Operator versions that the runtime has. */
const [MIN_OPSET, MAX_OPSET] = [7, 26];
const MAX_NODES = 200_000;
/** Graphs in nodes in graphs: `If` in `Loop` in a function. */
const MAX_DEPTH = 16;
const MAX_NAME = 1 << 16;
/** Operators of the standard, and those that onnxruntime adds. */
const DOMAINS: ReadonlySet<string> = new Set(['', 'ai.onnx', 'com.microsoft']);
/** Operators that have the runtime open other files. */
const FILE_READERS: ReadonlySet<string> = new Set(['EPContext']);

/**
 * Walks through all of an ONNX file: graphs in graphs, functions and sparse tensors included. Nothing is run.
 * https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 * @throws CheckpointError for what is no ONNX model, has data outside of the file, or operators that are not known
 */
export function readOnnxModel(bytes: Buffer): OnnxModel {
  const walk = new Walk();
  walk.model(bytes);
  return walk.result();
}

class Walk {
  readonly #budget = new FieldBudget();
  readonly #opsets = new Map<string, number>();
  /** Domains of the functions that the file itself defines. */
  readonly #ownDomains = new Set<string>();
  readonly #usedDomains = new Set<string>();
  readonly #inputs: DeclaredValue[] = [];
  readonly #outputs: DeclaredValue[] = [];
  readonly #nodes: ModelNode[] = [];
  readonly #scalars = new Map<string, number>();
  readonly #initializers = new Set<string>();
  #nodeCount = 0;
  #parameterCount = 0;
  #hasGraph = false;

  model(bytes: Buffer): void {
    for (const { number, bytes: part } of protobufFields(bytes, this.#budget)) {
      if (number === 7) {
        this.#hasGraph = true;
        this.#graph(part, 0);
      } else if (number === 8) this.#opset(part);
      else if (number === 20) this.#graphsIn(part, [1, 2]);
      else if (number === 25) this.#function(part);
    }
  }

  result(): OnnxModel {
    if (!this.#hasGraph)
      throw new CheckpointError('unsupported-format', 'expected an ONNX model, and this holds no graph');
    const opset = this.#opsets.get('') ?? this.#opsets.get('ai.onnx') ?? 0;
    if (opset < MIN_OPSET || opset > MAX_OPSET) {
      throw new CheckpointError(
        'unsupported',
        `its operators are of version ${opset} (opset); those of ${MIN_OPSET} to ${MAX_OPSET} are run: export it again`,
      );
    }
    const foreign = [...this.#usedDomains].find((domain) => !DOMAINS.has(domain) && !this.#ownDomains.has(domain));
    if (foreign !== undefined) {
      throw new CheckpointError('unsupported', `it needs operators of ${quoted(foreign)}, which are not run here`);
    }
    return {
      opset,
      // Before version 4 of the format every weight was an input as well.
      inputs: this.#inputs.filter(({ name }) => !this.#initializers.has(name)),
      outputs: this.#outputs,
      nodes: this.#nodes,
      scalars: this.#scalars,
      tensors: this.#initializers.size,
      parameterCount: this.#parameterCount,
    };
  }

  #opset(bytes: Buffer): void {
    let [domain, version] = ['', 0];
    for (const field of protobufFields(bytes, this.#budget)) {
      if (field.number === 1) domain = text(field.bytes);
      if (field.number === 2) version = field.value;
    }
    this.#opsets.set(domain, version);
  }

  #graph(bytes: Buffer, depth: number): void {
    if (depth > MAX_DEPTH) throw new CheckpointError('too-deep', `its graphs nest more than ${MAX_DEPTH} deep`);
    for (const { number, bytes: part } of protobufFields(bytes, this.#budget)) {
      if (number === 1) this.#node(part, depth);
      else if (number === 5) this.#initializer(part, depth);
      else if (number === 15) this.#tensorsIn(part, [1, 2]);
      else if (number === 11 && depth === 0) this.#inputs.push(this.#declared(part));
      else if (number === 12 && depth === 0) this.#outputs.push(this.#declared(part));
    }
  }

  #node(bytes: Buffer, depth: number): void {
    this.#nodeCount += 1;
    if (this.#nodeCount > MAX_NODES) throw new CheckpointError('too-large', `it has more than ${MAX_NODES} nodes`);
    const [inputs, outputs, constants]: [string[], string[], number[]] = [[], [], []];
    let [op, domain] = ['', ''];
    for (const { number, bytes: part } of protobufFields(bytes, this.#budget)) {
      if (number === 1) inputs.push(text(part));
      else if (number === 2) outputs.push(text(part));
      else if (number === 4) op = text(part);
      else if (number === 5) constants.push(...this.#attribute(part, depth));
      else if (number === 7) domain = text(part);
    }
    if (FILE_READERS.has(op)) throw outside(`its node ${shownName(op)}`);
    this.#usedDomains.add(domain);
    if (depth > 0) return;
    this.#nodes.push({ op, inputs, outputs });
    const [output] = outputs;
    const [value] = constants;
    if (op === 'Constant' && output !== undefined && value !== undefined) this.#scalars.set(output, value);
  }

  /** The numbers of an attribute that stand alone. */
  #attribute(bytes: Buffer, depth: number): number[] {
    const found: number[] = [];
    for (const { number, bytes: part } of protobufFields(bytes, this.#budget)) {
      if (number === 2 && part.length === 4) found.push(part.readFloatLE(0));
      else if (number === 5 || number === 10)
        found.push(...[this.#tensor(part).scalar].filter((one) => one !== undefined));
      else if (number === 6 || number === 11) this.#graph(part, depth + 1);
      else if (number === 22 || number === 23) this.#tensorsIn(part, [1, 2]);
    }
    return found;
  }

  #initializer(bytes: Buffer, depth: number): void {
    const { name, count, scalar } = this.#tensor(bytes);
    this.#parameterCount += count;
    if (depth > 0) return;
    this.#initializers.add(name);
    if (scalar !== undefined) this.#scalars.set(name, scalar);
  }

  #tensorsIn(bytes: Buffer, numbers: readonly number[]): void {
    for (const { number, bytes: part } of protobufFields(bytes, this.#budget)) {
      if (numbers.includes(number)) this.#tensor(part);
    }
  }

  #graphsIn(bytes: Buffer, numbers: readonly number[]): void {
    for (const { number, bytes: part } of protobufFields(bytes, this.#budget)) {
      if (numbers.includes(number)) this.#graph(part, 1);
    }
  }

  #function(bytes: Buffer): void {
    for (const { number, bytes: part } of protobufFields(bytes, this.#budget)) {
      if (number === 7) this.#node(part, 1);
      else if (number === 10) this.#ownDomains.add(text(part));
      else if (number === 11) this.#attribute(part, 1);
    }
  }

  /** @throws CheckpointError where its elements lie in another file */
  #tensor(bytes: Buffer): { readonly name: string; readonly count: number; readonly scalar: number | undefined } {
    const dims: number[] = [];
    let [name, elementCode, data] = ['', 0, undefined as Buffer | undefined];
    for (const { number, value, bytes: part } of protobufFields(bytes, this.#budget)) {
      if (number === 1) dims.push(...(part.length > 0 ? packedNumbers(part, this.#budget) : [value]));
      else if (number === 2) elementCode = value;
      else if (number === 4 || number === 9 || number === 10) data = part;
      else if (number === 8) name = text(part);
      else if (number === 13 || (number === 14 && value !== 0)) throw outside(`the tensor ${shownName(name)}`);
    }
    const count = dims.reduce((product, size) => product * size, 1);
    return { name, count, scalar: count === 1 && data ? scalarOf(data, elementCode) : undefined };
  }

  #declared(bytes: Buffer): DeclaredValue {
    const parts = [...protobufFields(bytes, this.#budget)];
    const name = text(parts.find(({ number }) => number === 1)?.bytes ?? Buffer.alloc(0));
    const types = parts.filter(({ number }) => number === 2).flatMap((type) => this.#within(type, 1));
    const fields = types.flatMap((tensor) => [...protobufFields(tensor.bytes, this.#budget)]);
    const elementCode = fields.find(({ number }) => number === 1)?.value ?? 0;
    const shape = fields.find(({ number }) => number === 2);
    return { name, elementCode, shape: shape && this.#within(shape, 1).map((dim) => this.#size(dim)) };
  }

  /** Null where the file leaves it open. */
  #size(dim: ProtobufField): number | null {
    const [size] = this.#within(dim, 1);
    return size !== undefined && size.value > 0 ? size.value : null;
  }

  /** The fields of that number in a message. */
  #within({ bytes }: ProtobufField, wanted: number): ProtobufField[] {
    return [...protobufFields(bytes, this.#budget)].filter(({ number }) => number === wanted);
  }
}

const [FLOAT, FLOAT16, DOUBLE] = [1, 10, 11];

/** The one element of a tensor of floats. */
function scalarOf(data: Buffer, elementCode: number): number | undefined {
  if (elementCode === FLOAT && data.length === 4) return data.readFloatLE(0);
  if (elementCode === DOUBLE && data.length === 8) return data.readDoubleLE(0);
  return elementCode === FLOAT16 && data.length === 2 ? halfToNumber(data.readUInt16LE(0)) : undefined;
}

function text(bytes: Buffer): string {
  if (bytes.length > MAX_NAME) throw new CheckpointError('too-large', `a name of ${bytes.length} bytes`);
  return bytes.toString('utf8');
}

function outside(what: string): CheckpointError {
  return new CheckpointError(
    'unsupported',
    `${what} lies in another file (external data), and no other file is read: save it again as one file`,
  );
}
