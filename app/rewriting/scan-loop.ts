import { GraphError } from '../onnx/errors.ts';
import type { DeclaredGraph, Wire } from '../onnx/graph.ts';
import type { ProtoBody, ProtoInitializer, ProtoNode, ProtoValue } from '../onnx/model-proto.ts';
import type { ConstantValues } from './constant-values.ts';
import type { Block, Repetition } from './repeated-blocks.ts';
import { StackedOperand } from './stacked-operand.ts';

/** Constants up to this many bytes are copied into a loop's body, where kernels want to know sizes and axes beforehand. */
const MAX_COPIED_BYTES = 1024;

/** The graph whose blocks become loops. */
export interface LoopedGraph {
  readonly graph: DeclaredGraph;
  readonly constants: ConstantValues;
  readonly initializers: ReadonlyMap<string, ProtoInitializer>;
  /** How many convolutions a loop within a loop has to spare. */
  readonly minSpared: number;
}

/** Under which name a value of the graph is to be had. */
type NameOf = (name: string) => string;

/**
 * A row of alike blocks as a `Scan`: its state is what goes from block to block, and the constants in which the blocks differ are stacked
 * along a new first axis. Rows within a block become loops within the loop where that spares enough, and their stacks have an axis for each.
 */
export class ScanLoop {
  readonly #blocks: Repetition['blocks'];
  readonly #prefix: string;
  readonly #looped: LoopedGraph;
  /** The loop that this one is within. */
  readonly #around: ScanLoop | undefined;
  readonly #inner: readonly ScanLoop[];
  /** What the first block calculates. */
  readonly #steps: readonly (ProtoNode | ScanLoop)[];
  /** The constants of the first block that a step takes, or that a loop within has in all its turns. */
  readonly #operands: readonly string[];
  /** Those that are others in other blocks. */
  readonly #stacked: readonly StackedOperand[];

  /** @param prefix of names that are free */
  constructor({ blocks, inner }: Repetition, prefix: string, looped: LoopedGraph, around?: ScanLoop) {
    this.#blocks = blocks;
    this.#prefix = prefix;
    this.#looped = looped;
    this.#around = around;
    const worthwhile = inner.filter((row) => sparedConvolutions(row) >= looped.minSpared);
    this.#inner = worthwhile.map((row, i) => new ScanLoop(row, `${prefix}loop${i}_`, looped, this));
    this.#steps = this.#stepsOf(blocks[0]);
    const taken = new Set(this.#steps.flatMap((step) => (step instanceof ScanLoop ? step.#shared : step.inputs)));
    this.#operands = blocks[0].operands.filter((name) => taken.has(name));
    this.#stacked = this.#operands.flatMap((name) => (this.#isShared(name) ? [] : [this.#stackOf(name)]));
  }

  /** Its place in the graph's list: the first node, and the one after the last. */
  get place(): readonly [from: number, to: number] {
    return [this.#blocks[0].nodes[0], this.#blocks.at(-1)?.nodes[1] ?? 0];
  }

  /** What its blocks differ in, and those of the loops within it, as it is stacked before them all. */
  get stacks(): readonly StackedOperand[] {
    return [...this.#stacked, ...this.#inner.flatMap((loop) => loop.#stacked)];
  }

  /** The loop itself. @param nameOf where it stands */
  node(nameOf: NameOf = (name) => name): ProtoNode {
    const along = [
      ...this.#stacked.map(({ turn, stack }) => turn?.name ?? stack),
      ...this.#handed.map(({ stack }) => stack),
    ];
    return {
      op: 'Scan',
      domain: '',
      inputs: [nameOf(this.#blocks[0].input), ...along],
      outputs: [this.#blocks.at(-1)?.output ?? ''],
      attributes: { body: { body: this.#body(nameOf) }, num_scan_inputs: along.length },
    };
  }

  /** The stacks of loops within it of which it hands on what belongs to a turn. */
  get #handed(): StackedOperand[] {
    return this.#inner.flatMap((loop) => loop.#stacked.filter(({ turn }) => turn !== undefined));
  }

  /** The operands that are the same in all blocks. */
  get #shared(): string[] {
    return this.#operands.filter((name) => this.#isShared(name));
  }

  /** The first block, its weights replaced by what the loop is at. */
  #body(nameOf: NameOf): ProtoBody {
    const [{ input, output }] = this.#blocks;
    const names = new Map([[input, this.#name('state')]]);
    for (const { first, name } of this.#stacked) names.set(first, name);
    const copied = this.#shared.flatMap((name) => this.#copied(name));
    for (const { name } of copied) names.set(name, this.#name(name));
    const nameHere: NameOf = (name) => names.get(name) ?? nameOf(name);
    return {
      inputs: [
        protoValue(this.#name('state'), this.#wire(input)),
        ...this.#stacked.map(({ part }) => part),
        ...this.#handed.flatMap(({ turn }) => turn ?? []),
      ],
      outputs: [{ name: output, type: this.#wire(input).type }],
      nodes: [
        ...this.#stacked.flatMap(({ unpacking }) => unpacking),
        ...this.#steps.map((step) =>
          step instanceof ScanLoop ? step.node(nameHere) : { ...step, inputs: step.inputs.map(nameHere) },
        ),
      ],
      initializers: [
        ...copied.map((one) => ({ ...one, name: this.#name(one.name) })),
        ...this.#stacked.flatMap(({ initializers }) => initializers.inner),
      ],
    };
  }

  #stepsOf({ nodes: [from, to] }: Block): (ProtoNode | ScanLoop)[] {
    const { graph, constants } = this.#looped;
    const steps: (ProtoNode | ScanLoop)[] = [];
    for (let index = from; index < to;) {
      const loop = this.#inner.find(({ place: [first] }) => first === index);
      const own = graph.nodes.slice(index, index + 1).filter((node) => !constants.isMadeBy(node));
      steps.push(...(loop ? [loop] : own));
      index = loop?.place[1] ?? index + 1;
    }
    return steps;
  }

  #stackOf(name: string): StackedOperand {
    const rows = this.#rowsOf(name);
    const around = this.#around;
    const differs = around && !rows.every((row) => around.#isShared(row));
    const turns = differs
      ? around.#blocks.map((_, turn) => rows.map((row) => around.#rowsOf(row)[turn] ?? ''))
      : undefined;
    const [{ operands, steps }] = this.#blocks;
    return new StackedOperand(turns ?? rows, this.#wire(name), steps, this.#name(`${operands.indexOf(name)}_`));
  }

  /** What a constant of the first block is called in each. */
  #rowsOf(name: string): string[] {
    const place = this.#blocks[0].operands.indexOf(name);
    return this.#blocks.map(({ operands }) => operands[place] ?? '');
  }

  #isShared(name: string): boolean {
    return this.#rowsOf(name).every((row) => row === name);
  }

  #copied(name: string): ProtoInitializer[] {
    const found = this.#looped.initializers.get(name);
    const isSmall = found?.data instanceof Uint8Array && found.data.length <= MAX_COPIED_BYTES;
    return found && isSmall ? [found] : [];
  }

  #wire(name: string): Wire {
    const wire = this.#looped.graph.wires.get(name);
    if (!wire) throw new GraphError(`${name}: nobody said what it is`);
    return wire;
  }

  #name(rest: string): string {
    return `${this.#prefix}${rest}`;
  }
}

/** How many convolutions need not be prepared where a row is a loop. */
function sparedConvolutions({ blocks: [first, ...others] }: Repetition): number {
  return first.steps.filter(({ op }) => op === 'Conv').length * others.length;
}

/** A side that is left open is found out by the runtime. */
function protoValue(name: string, { type, shape }: Wire): ProtoValue {
  const known = shape.filter((size) => size !== null);
  return { name, type, ...(known.length === shape.length && { shape: known }) };
}
