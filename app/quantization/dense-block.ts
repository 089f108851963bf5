import { GraphError } from '../onnx/errors.ts';
import type { Region } from '../onnx/graph.ts';
import type { ProtoGraph, ProtoInitializer, ProtoNode } from '../onnx/model-proto.ts';

/** A convolution of a dense block, by the names of its values. */
export interface ConvStep {
  readonly kind: 'conv';
  readonly input: string;
  readonly output: string;
  /** OIHW; of the checkpoint, under its name there. */
  readonly weight: ProtoInitializer;
  readonly bias: ProtoInitializer | undefined;
  /** Kernel, padding, stride: as the graph has them. */
  readonly attributes: ProtoNode['attributes'];
}

/** ReLU is a leaky one of slope 0. */
export interface ActivationStep {
  readonly kind: 'activation';
  readonly input: string;
  readonly output: string;
  readonly slope: number;
}

/** Along the channels. */
export interface ConcatStep {
  readonly kind: 'concat';
  readonly inputs: readonly string[];
  readonly output: string;
}

export type BlockStep = ConvStep | ActivationStep | ConcatStep;

/** A dense block: its input through `steps` to the output of the last convolution, times `factor`. */
export interface DenseBlock {
  readonly input: string;
  readonly output: string;
  readonly steps: readonly BlockStep[];
  readonly last: ConvStep;
  readonly factor: number;
}

/** A graph whose constants can be looked up: there are thousands. */
export class IndexedGraph {
  readonly nodes: readonly ProtoNode[];
  readonly #initializers: ReadonlyMap<string, ProtoInitializer>;
  /** What a value was cast from. */
  readonly #casts: ReadonlyMap<string, string>;

  constructor({ nodes, initializers }: ProtoGraph) {
    this.nodes = nodes;
    this.#initializers = new Map(initializers.map((one) => [one.name, one]));
    const casts = nodes.filter(({ op }) => op === 'Cast');
    this.#casts = new Map(casts.map(({ inputs, outputs }) => [outputs[0] ?? '', inputs[0] ?? '']));
  }

  /** The constant of that name, before it was cast to float32. */
  weight(name: string): ProtoInitializer {
    const found = this.#initializers.get(this.#casts.get(name) ?? name);
    if (!found) throw new GraphError(`${name}: a convolution of a dense block takes its weights from the file`);
    return found;
  }

  /** A float32 scalar. */
  number(name: string | undefined): number {
    const found = this.#initializers.get(name ?? '');
    if (found?.type !== 'float32' || found.shape.length > 0 || !(found.data instanceof Uint8Array)) {
      throw new GraphError(`${name ?? 'nothing'}: expected a number to scale by`);
    }
    return new DataView(found.data.buffer, found.data.byteOffset).getFloat32(0, true);
  }
}

/**
 * Reads a region of the kind `dense-block`: convolutions, (leaky) ReLU, Concat, and numbers that the last convolution is
 * multiplied by.
 * @throws GraphError for any other operation
 */
export function readDenseBlock(graph: IndexedGraph, { input, output, nodes: [from, to] }: Region): DenseBlock {
  const steps: BlockStep[] = [];
  let end = '';
  let factor = 1;
  for (const node of graph.nodes.slice(from, to)) {
    const result = node.outputs[0] ?? '';
    if (node.op === 'Cast') continue; // of a weight: `weight` looks through it
    if (node.op === 'Mul' && node.inputs[0] === end) factor *= graph.number(node.inputs[1]);
    else steps.push(stepOf(graph, node));
    end = result;
  }
  const last = steps.at(-1);
  if (last?.kind !== 'conv' || end !== output) {
    throw new GraphError(`a dense block ends with ${last?.kind ?? 'nothing'}; expected a convolution`);
  }
  return { input, output, steps, last, factor };
}

/** @throws GraphError for what is no convolution, (leaky) ReLU or Concat of channels */
export function stepOf(graph: IndexedGraph, { op, inputs, outputs, attributes }: ProtoNode): BlockStep {
  const [input = '', second, third] = inputs;
  const output = outputs[0] ?? '';
  if (op === 'Relu') return { kind: 'activation', input, output, slope: 0 };
  if (op === 'LeakyRelu') return { kind: 'activation', input, output, slope: floatOf(attributes['alpha']) };
  if (op === 'Concat' && attributes['axis'] === 1) return { kind: 'concat', inputs, output };
  if (op !== 'Conv') throw new GraphError(`${op} in a dense block has no 8-bit form`);
  const weight = graph.weight(second ?? '');
  const bias = third === undefined ? undefined : graph.weight(third);
  return { kind: 'conv', input, output, weight, bias, attributes };
}

function floatOf(attribute: ProtoNode['attributes'][string] | undefined): number {
  if (typeof attribute === 'object' && 'float' in attribute) return attribute.float;
  throw new GraphError('a leaky ReLU without a slope');
}
