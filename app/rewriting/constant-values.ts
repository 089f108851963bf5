import type { DeclaredGraph } from '../onnx/graph.ts';
import type { ProtoNode } from '../onnx/model-proto.ts';

/** Types whose numbers may differ from block to block: weights. Others are sizes, axes and indices. */
const WEIGHT_TYPES = new Set(['float32', 'float16', 'bfloat16', 'float64']);

/** The values of a graph that do not depend on its inputs: weights, and what is calculated of them alone. */
export class ConstantValues {
  /** Of each such value what it is, as a number: constants of one kind differ in nothing but their weights. */
  readonly #kinds = new Map<string, number>();
  /** The number of each description. */
  readonly #numbers = new Map<string, number>();

  constructor({ initializers, nodes }: DeclaredGraph) {
    for (const { name, type, shape } of initializers) {
      this.#add(name, WEIGHT_TYPES.has(type) ? `${type}[${shape.join()}]` : `=${name}`);
    }
    for (const node of nodes) this.#addResults(node);
  }

  has(name: string): boolean {
    return this.#kinds.has(name);
  }

  /** Whether a node calculates a constant. */
  isMadeBy(node: ProtoNode): boolean {
    return node.outputs.every((name) => this.#kinds.has(name));
  }

  /** The number of a constant's kind. */
  kindOf(name: string): number | undefined {
    return this.#kinds.get(name);
  }

  #addResults({ op, domain, attributes, inputs, outputs }: ProtoNode): void {
    const kinds = inputs.map((name) => (name === '' ? '' : this.#kinds.get(name)));
    if (inputs.length === 0 || kinds.includes(undefined)) return;
    outputs.forEach((name, index) => this.#add(name, JSON.stringify([domain, op, attributes, kinds, index])));
  }

  #add(name: string, description: string): void {
    const kind = this.#numbers.get(description) ?? this.#numbers.size;
    this.#numbers.set(description, kind);
    this.#kinds.set(name, kind);
  }
}
