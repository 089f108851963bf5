import type { ProtoGraph, ProtoInitializer, ProtoNode } from '../onnx/model-proto.ts';

/** Nodes and constants that are to take the place of some of a graph's. */
export class GraphEditor {
  readonly #nodes: ProtoNode[] = [];
  readonly #initializers = new Map<string, ProtoInitializer>();
  readonly #domains = new Set<string>();
  readonly #prefix: string;

  /** @param prefix of the names that it gives: those of two editors of one graph must differ */
  constructor(prefix = 'int8') {
    this.#prefix = prefix;
  }

  /** Appends a node with one output, whose name is new unless given. @returns that name */
  node(
    op: string,
    inputs: readonly string[],
    attributes: ProtoNode['attributes'] = {},
    { domain = '', output = `${this.#prefix}_${op}_${this.#nodes.length}` }: { domain?: string; output?: string } = {},
  ): string {
    if (domain !== '') this.#domains.add(domain);
    this.#nodes.push({ op, domain, inputs, outputs: [output], attributes });
    return output;
  }

  /** A constant as it is. */
  given(initializer: ProtoInitializer): string {
    this.#initializers.set(initializer.name, initializer);
    return initializer.name;
  }

  /** A float32 scalar. */
  float(value: number): string {
    const data = new Uint8Array(Float32Array.of(value).buffer);
    return this.given({ name: `int8_float_${value}`, type: 'float32', shape: [], data });
  }

  /** Float32 numbers by channel, the last axis. */
  floats(values: Float32Array): string {
    const data = new Uint8Array(values.slice().buffer);
    const name = `${this.#prefix}_floats_${this.#initializers.size}`;
    return this.given({ name, type: 'float32', shape: [values.length], data });
  }

  /** Int64 numbers: sizes, axes, places. */
  integers(values: readonly number[]): string {
    const data = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    return this.given({ name: `int8_integers_${values.join('_')}`, type: 'int64', shape: [values.length], data });
  }

  /** A uint8 scalar. */
  byte(value: number): string {
    return this.given({ name: `int8_byte_${value}`, type: 'uint8', shape: [], data: Uint8Array.of(value) });
  }

  /** An int8 scalar. */
  signedByte(value: number): string {
    const data = new Uint8Array(Int8Array.of(value).buffer);
    return this.given({ name: `int8_signed_${value}`, type: 'int8', shape: [], data });
  }

  /** `graph` with these nodes instead of those `from` .. `to - 1`, without the constants that nothing takes any more. */
  spliced(graph: ProtoGraph, [from, to]: readonly [number, number]): ProtoGraph {
    const nodes = [...graph.nodes.slice(0, from), ...this.#nodes, ...graph.nodes.slice(to)];
    const taken = new Set(nodes.flatMap(({ inputs }) => inputs));
    const initializers = new Map(graph.initializers.map((one) => [one.name, one]));
    for (const [name, initializer] of this.#initializers) initializers.set(name, initializer);
    return {
      ...graph,
      domains: new Map([...graph.domains, ...[...this.#domains].map((domain) => [domain, 1] as const)]),
      nodes,
      initializers: [...initializers.values()].filter(({ name }) => taken.has(name)),
    };
  }
}
