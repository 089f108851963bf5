import type { DeclaredGraph, Region } from '../onnx/graph.ts';
import type { ProtoNode } from '../onnx/model-proto.ts';
import { ConstantValues } from './constant-values.ts';

/** A block as one that may be repeated. */
export interface Block {
  readonly input: string;
  readonly output: string;
  /** Its place in the graph's list: the first node, and the one after the last. */
  readonly nodes: readonly [from: number, to: number];
  /** What it calculates with its input; constants are calculated beside it. */
  readonly steps: readonly ProtoNode[];
  /** The constants that it takes, in the order in which it takes them first. */
  readonly operands: readonly string[];
  /** Equal for blocks that differ in nothing but the numbers of their weights. */
  readonly structure: string;
}

/** Blocks one after another that are alike. */
export interface Repetition {
  readonly blocks: readonly [Block, ...Block[]];
  /** The rows of alike blocks within the first; the others have their like. */
  readonly inner: readonly Repetition[];
}

/** Windows are shifted in every second block, and sometimes turned as well. */
const MAX_PERIOD = 4;

/**
 * The longest rows of alike blocks among the regions that a graph declares to be such, in its order. Of regions within one another
 * the outer ones are preferred, and hold the rows within them; a few may be alike only together.
 */
export function repeatedBlocks(graph: DeclaredGraph): Repetition[] {
  return new BlockReader(graph).repetitions();
}

class BlockReader {
  readonly #graph: DeclaredGraph;
  readonly #constants: ConstantValues;
  /** The nodes that take a value. */
  readonly #takers = new Map<string, number[]>();

  constructor(graph: DeclaredGraph) {
    this.#graph = graph;
    this.#constants = new ConstantValues(graph);
    graph.nodes.forEach(({ inputs }, index) => {
      for (const name of new Set(inputs)) this.#takers.set(name, [...(this.#takers.get(name) ?? []), index]);
    });
  }

  repetitions(): Repetition[] {
    return this.#among(this.#graph.regions.filter(({ kind }) => kind === 'block'));
  }

  #among(regions: readonly Region[]): Repetition[] {
    const outer = regions.filter((region) => !regions.some((other) => other !== region && holds(other, region)));
    const inOrder = outer.sort((a, b) => a.nodes[0] - b.nodes[0]);
    const found: Repetition[] = [];
    for (let at = 0; at < inOrder.length;) {
      const { blocks, regions: taken } = this.#longestFrom(inOrder.slice(at));
      const within = inOrder.slice(at, at + (blocks ? taken / blocks.length : 1));
      const inner = regions.filter((one) => within.some((region) => one !== region && holds(region, one)));
      if (blocks) found.push({ blocks, inner: this.#among(inner) });
      else found.push(...this.#among(inner));
      at += Math.max(1, taken);
    }
    return found;
  }

  /** The alike blocks that cover most of the regions at the start of a list. */
  #longestFrom(regions: readonly Region[]): { blocks?: Repetition['blocks']; regions: number } {
    let longest: { blocks?: Repetition['blocks']; regions: number } = { regions: 0 };
    for (let period = 1; period <= MAX_PERIOD; period++) {
      const alike = this.#alike(regions, period);
      const covered = alike.length * period;
      const [first, ...others] = alike;
      if (first && others.length > 0 && covered > longest.regions) {
        longest = { blocks: [first, ...others], regions: covered };
      }
    }
    return longest;
  }

  #alike(regions: readonly Region[], period: number): Block[] {
    const blocks: Block[] = [];
    for (let at = 0; at + period <= regions.length; at += period) {
      const block = this.#block(regions.slice(at, at + period));
      const before = blocks.at(-1);
      if (!block || (before && !this.#follows(block, before))) return blocks;
      blocks.push(block);
    }
    return blocks;
  }

  /** Whether a block is like the one before, which feeds it and nothing else. */
  #follows(block: Block, before: Block): boolean {
    const [from, to] = block.nodes;
    return (
      block.structure === before.structure &&
      block.input === before.output &&
      this.#isConstant(before.nodes[1], from) &&
      this.#areTakenWithin([before.output], [from, to])
    );
  }

  /** Regions that follow one another as one block; undefined where something else uses what is made inside. */
  #block(regions: readonly Region[]): Block | undefined {
    const [first, last] = [regions.at(0), regions.at(-1)];
    if (!first || !last) return undefined;
    const nodes = [first.nodes[0], last.nodes[1]] as const;
    const steps = this.#graph.nodes.slice(...nodes).filter((node) => !this.#constants.isMadeBy(node));
    const made = steps.flatMap(({ outputs }) => outputs);
    const inner = made.filter((name) => name !== last.output);
    if (inner.length === made.length || !this.#areTakenWithin(inner, nodes)) return undefined;
    const { input } = first;
    return { input, output: last.output, nodes, steps, ...this.#structure(steps, input, last.output) };
  }

  #structure(steps: readonly ProtoNode[], input: string, output: string): Pick<Block, 'operands' | 'structure'> {
    const { type, shape } = this.#graph.wires.get(input) ?? {};
    const made = new Map([['', 'none']]);
    const operands: string[] = [];
    const placeOf = (name: string): string => {
      if (name === input) return 'input';
      const known = made.get(name);
      if (known !== undefined) return known;
      const kind = this.#constants.kindOf(name);
      if (kind === undefined) return `outside ${name}`;
      made.set(name, `constant ${operands.push(name)} of ${kind}`);
      return made.get(name) ?? '';
    };
    const described = steps.map(({ op, domain, attributes, inputs, outputs }) => {
      const row = [domain, op, attributes, inputs.map(placeOf)];
      for (const name of outputs) made.set(name, `made ${made.size}`);
      return row;
    });
    return { operands, structure: JSON.stringify([type, shape, described, made.get(output)]) };
  }

  #areTakenWithin(names: readonly string[], [from, to]: readonly [number, number]): boolean {
    const outputs = new Set(this.#graph.outputs.map(({ name }) => name));
    return names.every(
      (name) => !outputs.has(name) && (this.#takers.get(name) ?? []).every((index) => from <= index && index < to),
    );
  }

  #isConstant(from: number, to: number): boolean {
    return this.#graph.nodes.slice(from, to).every((node) => this.#constants.isMadeBy(node));
  }
}

function holds(outer: Region, inner: Region): boolean {
  return outer.nodes[0] <= inner.nodes[0] && inner.nodes[1] <= outer.nodes[1];
}
