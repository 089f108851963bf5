import { GraphError } from '../onnx/errors.ts';
import type { DeclaredGraph, Wire } from '../onnx/graph.ts';
import type { ProtoBody, ProtoGraph, ProtoInitializer, ProtoNode, ProtoValue } from '../onnx/model-proto.ts';
import { ConstantValues } from './constant-values.ts';
import type { Repetition } from './repeated-blocks.ts';
import { repeatedBlocks } from './repeated-blocks.ts';
import { StackedOperand } from './stacked-operand.ts';

/** Constants up to this many bytes are copied into a loop's body, where kernels want to know sizes and axes beforehand. */
const MAX_COPIED_BYTES = 1024;

/**
 * The graph with each row of alike blocks as one `Scan`: its state is what goes from block to block, and the constants in which the
 * blocks differ are stacked along a new first axis. It calculates the same. For devices that prepare each node for itself: of
 * 23 blocks only one is there to prepare.
 */
export function scanGraph(graph: DeclaredGraph): ProtoGraph {
  const constants = new ConstantValues(graph);
  const initializers = new Map(graph.initializers.map((one) => [one.name, one]));
  const nodes: ProtoNode[] = [];
  const added: ProtoInitializer[] = [];
  let done = 0;
  repeatedBlocks(graph).forEach((blocks, index) => {
    const loop = new Loop(blocks, `scan${index}_`, { graph, initializers });
    if (loop.stacked.length === 0) return; // the very same block: a Scan has to go along something
    const [from, to] = [blocks[0].nodes[0], blocks.at(-1)?.nodes[1] ?? 0];
    const prepared = graph.nodes.slice(from, to).filter((node) => constants.isMadeBy(node));
    nodes.push(...graph.nodes.slice(done, from), ...prepared, ...loop.nodes());
    added.push(...loop.initializers());
    done = to;
  });
  if (nodes.length === 0) return graph;
  return {
    ...graph,
    nodes: [...nodes, ...graph.nodes.slice(done)],
    initializers: [...graph.initializers, ...added],
  };
}

interface Surroundings {
  readonly graph: DeclaredGraph;
  readonly initializers: ReadonlyMap<string, ProtoInitializer>;
}

/** A row of alike blocks as a `Scan`. */
class Loop {
  /** The operands that are others in other blocks. */
  readonly stacked: readonly StackedOperand[];
  readonly #blocks: Repetition;
  readonly #prefix: string;
  readonly #surroundings: Surroundings;

  constructor(blocks: Repetition, prefix: string, surroundings: Surroundings) {
    this.#blocks = blocks;
    this.#prefix = prefix;
    this.#surroundings = surroundings;
    const [{ operands, steps }] = blocks;
    this.stacked = operands.flatMap((name, place) => {
      const rows = blocks.map((block) => block.operands[place] ?? '');
      if (rows.every((row) => row === name)) return [];
      return [new StackedOperand(rows, this.#wire(name), steps, this.#name(`${place}_`))];
    });
  }

  /** The stacks of its weights, and the loop itself. */
  nodes(): ProtoNode[] {
    const inputs = [this.#blocks[0].input, ...this.stacked.map(({ stack }) => stack)];
    const outputs = [this.#blocks.at(-1)?.output ?? ''];
    const attributes = { body: { body: this.#body() }, num_scan_inputs: this.stacked.length };
    return [
      ...this.stacked.flatMap(({ stacking }) => stacking),
      { op: 'Scan', domain: '', inputs, outputs, attributes },
    ];
  }

  /** What the nodes before the loop take. */
  initializers(): ProtoInitializer[] {
    return this.stacked.flatMap(({ initializers }) => initializers.outer);
  }

  /** The first block, its weights replaced by what the loop is at. */
  #body(): ProtoBody {
    const [{ input, output, steps, operands }] = this.#blocks;
    const names = new Map([[input, this.#name('state')]]);
    for (const { first, name } of this.stacked) names.set(first, name);
    const copied = operands.flatMap((name) => (names.has(name) ? [] : this.#copied(name)));
    for (const name of copied.map((one) => one.name)) names.set(name, this.#name(name));
    const own = steps.map((node) => ({ ...node, inputs: node.inputs.map((name) => names.get(name) ?? name) }));
    const state = protoValue(this.#name('state'), this.#wire(input));
    return {
      inputs: [state, ...this.stacked.map(({ part }) => part)],
      outputs: [{ name: output, type: this.#wire(input).type }],
      nodes: [...this.stacked.flatMap(({ unpacking }) => unpacking), ...own],
      initializers: [
        ...copied.map((one) => ({ ...one, name: this.#name(one.name) })),
        ...this.stacked.flatMap(({ initializers }) => initializers.inner),
      ],
    };
  }

  #copied(name: string): ProtoInitializer[] {
    const found = this.#surroundings.initializers.get(name);
    const isSmall = found?.data instanceof Uint8Array && found.data.length <= MAX_COPIED_BYTES;
    return found && isSmall ? [found] : [];
  }

  #wire(name: string): Wire {
    const wire = this.#surroundings.graph.wires.get(name);
    if (!wire) throw new GraphError(`${name}: nobody said what it is`);
    return wire;
  }

  #name(rest: string): string {
    return `${this.#prefix}${rest}`;
  }
}

/** A side that is left open is found out by the runtime. */
function protoValue(name: string, { type, shape }: Wire): ProtoValue {
  const known = shape.filter((size) => size !== null);
  return { name, type, ...(known.length === shape.length && { shape: known }) };
}
