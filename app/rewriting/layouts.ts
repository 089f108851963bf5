import type { DeclaredGraph, Wire } from '../onnx/graph.ts';
import type { ProtoInitializer, ProtoNode } from '../onnx/model-proto.ts';
import { TO_NCHW, TO_NHWC } from '../onnx/picture-axes.ts';

/** Numbers by axis of NCHW as those by axis of NHWC. */
export function inLastOrder<T>(values: readonly T[]): T[] {
  return TO_NHWC.flatMap((axis) => values.slice(axis, axis + 1));
}

/** Where an axis of NCHW is in NHWC. */
export function axisInLast(axis: number): number {
  return TO_NHWC.indexOf(axis < 0 ? axis + TO_NHWC.length : axis);
}

/**
 * Under which names the values of a graph are to be had while its nodes are written anew: as they were (plain), with channels last
 * (pictures alone, which have four axes), or both. What is not there yet is made by a `Transpose`, once.
 */
export class Layouts {
  readonly nodes: ProtoNode[] = [];
  readonly initializers: ProtoInitializer[] = [];
  readonly wires: Map<string, Wire>;
  readonly #plain = new Map<string, string>();
  readonly #last = new Map<string, string>();

  constructor({ wires }: DeclaredGraph) {
    this.wires = new Map(wires);
  }

  isPicture(name: string): boolean {
    return this.wires.get(name)?.shape.length === 4;
  }

  /** Whether a value is there with channels last alone. */
  isOnlyLast(name: string): boolean {
    return this.#last.has(name) && !this.#plain.has(name);
  }

  /** The name under which a value was made, or is to be had without a `Transpose`. */
  asItIs(name: string): string {
    return this.#plain.get(name) ?? this.#last.get(name) ?? name;
  }

  plain(name: string): string {
    const known = this.#plain.get(name);
    if (known !== undefined) return known;
    const last = this.#last.get(name);
    this.#plain.set(name, name);
    if (last !== undefined) this.#transpose(last, name, TO_NCHW);
    return name;
  }

  /** A picture with channels last. */
  last(name: string): string {
    const known = this.#last.get(name);
    if (known !== undefined) return known;
    const plain = this.plain(name);
    const made = this.declareLast(name);
    this.#transpose(plain, made, TO_NHWC);
    return made;
  }

  /** An operand that stretches over a picture: undefined where its axes are not those of one. */
  stretched(name: string): string | undefined {
    const shape = this.wires.get(name)?.shape ?? [];
    if (shape.every((size) => size === 1)) return this.asItIs(name);
    if (shape.length === 4) return this.last(name);
    const [channels = null, ...others] = shape;
    if (shape.length !== 3 || others.some((size) => size !== 1)) return undefined;
    const made = `last_${name}`;
    if (!this.wires.has(made)) {
      this.#transpose(this.plain(name), made, [1, 2, 0]);
      this.#declare(name, made, [1, 1, channels]);
    }
    return made;
  }

  /** Says that a node will make a value with channels last. @returns the name that its output is to have */
  declareLast(name: string): string {
    const made = `last_${name}`;
    this.#last.set(name, made);
    this.#declare(name, made, inLastOrder(this.wires.get(name)?.shape ?? []));
    return made;
  }

  /** Says that a node makes values as they were. */
  declarePlain(names: readonly string[]): void {
    for (const name of names) this.#plain.set(name, name);
  }

  /** A `Transpose` of the graph that only changes to another of the two layouts: nothing is to be done for it. */
  absorb({ op, inputs: [input = ''], outputs: [output = ''], attributes }: ProtoNode): boolean {
    const order = Array.isArray(attributes['perm']) ? attributes['perm'].join() : '';
    if (op !== 'Transpose' || !this.isPicture(input)) return false;
    if (order === TO_NCHW.join()) {
      this.#last.set(output, this.plain(input));
      return true;
    }
    const last = this.#last.get(input);
    if (order !== TO_NHWC.join() || last === undefined) return false;
    this.#plain.set(output, last);
    return true;
  }

  #transpose(input: string, output: string, perm: readonly number[]): void {
    this.nodes.push({ op: 'Transpose', domain: '', inputs: [input], outputs: [output], attributes: { perm } });
  }

  #declare(like: string, name: string, shape: Wire['shape']): void {
    this.wires.set(name, { name, type: this.wires.get(like)?.type ?? 'float32', shape });
  }
}
