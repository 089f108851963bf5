import type { Wire } from '../onnx/graph.ts';
import type { ElementType, ProtoInitializer, ProtoNode, ProtoValue } from '../onnx/model-proto.ts';

/** cuDNN plans a convolution for operands that begin at a multiple of so many bytes, and fails where one does not. */
const ALIGNMENT_BYTES = 16;
const BYTES: Readonly<Partial<Record<ElementType, number>>> = { float16: 2, bfloat16: 2, float32: 4 };

/**
 * A constant that differs from block to block, as a loop has it: the nodes before the loop that make one stack of it, along a new
 * first axis, and those in the body that make the block's own of its part. Of a loop within another, where it differs from turn to turn of
 * that one too, the stack has an axis for either.
 */
export class StackedOperand {
  /** Before all loops. */
  readonly stacking: ProtoNode[] = [];
  /** At the start of the body. */
  readonly unpacking: ProtoNode[] = [];
  /** What `stacking` takes, and what `unpacking` does. */
  readonly initializers: { readonly outer: ProtoInitializer[]; readonly inner: ProtoInitializer[] } = {
    outer: [],
    inner: [],
  };
  /** The stack's name. */
  readonly stack: string;
  /** What the loop around hands to its body, for the loop to go along: missing where that is the stack itself. */
  readonly turn?: ProtoValue;
  /** What the loop hands to its body. */
  readonly part: ProtoValue;
  /** The operand's name in the first block, and under which the body has it. */
  readonly first: string;
  readonly name: string;
  readonly #prefix: string;

  /**
   * @param rows the operand's name in each block; or, for each turn of the loop around, in each block
   * @param wire what it is, its sides known
   * @param steps the nodes of the first block, which say how it is used
   * @param prefix of names that are free
   */
  constructor(rows: readonly string[] | readonly string[][], wire: Wire, steps: readonly ProtoNode[], prefix: string) {
    this.#prefix = prefix;
    const [turn] = rows;
    const flat = rows.flat();
    this.first = flat[0] ?? '';
    const isConvolved = steps.some(({ op, inputs: [, ...weights] }) => op === 'Conv' && weights.includes(this.first));
    const shape = wire.shape.map(Number);
    const size = BYTES[wire.type] ?? ALIGNMENT_BYTES;
    const length = shape.reduce((product, side) => product * side, 1);
    const padding = isConvolved ? ((-length * size) & (ALIGNMENT_BYTES - 1)) / size : 0;
    const partShape = padding === 0 ? shape : [length + padding];
    const stacked = this.#stacked(flat);
    const padded = padding === 0 ? stacked : this.#padded(stacked, [flat.length, length], padding);
    this.part = { name: `${prefix}at`, type: wire.type, shape: partShape };
    this.name = padding === 0 ? this.part.name : this.#unpadded(this.part.name, shape, length);
    if (!Array.isArray(turn)) {
      this.stack = padded;
      return;
    }
    const turnShape = [turn.length, ...partShape];
    this.turn = { name: `${prefix}turn`, type: wire.type, shape: turnShape };
    this.stack = this.#before('Reshape', [padded, this.#constant('outer', 'turns', [rows.length, ...turnShape])]);
  }

  #stacked(rows: readonly string[]): string {
    const axis = this.#constant('outer', 'axis', [0]);
    return this.#before(
      'Concat',
      rows.map((row) => this.#before('Unsqueeze', [row, axis])),
      { axis: 0 },
    );
  }

  /** Each row flat, and as many zeros behind it as let the next one begin where it may. */
  #padded(stack: string, sides: readonly number[], elements: number): string {
    const flat = this.#before('Reshape', [stack, this.#constant('outer', 'flat', sides)]);
    return this.#before('Pad', [flat, this.#constant('outer', 'pads', [0, 0, 0, elements])]);
  }

  /** A copy without those zeros. */
  #unpadded(part: string, shape: readonly number[], length: number): string {
    const ends = [this.#constant('inner', 'start', [0]), this.#constant('inner', 'end', [length])];
    const own = this.#within('Slice', [part, ...ends]);
    return this.#within('Reshape', [own, this.#constant('inner', 'shape', shape)]);
  }

  #before(op: string, inputs: readonly string[], attributes: ProtoNode['attributes'] = {}): string {
    const output = `${this.#prefix}stacked${this.stacking.length}`;
    this.stacking.push({ op, domain: '', inputs, outputs: [output], attributes });
    return output;
  }

  #within(op: string, inputs: readonly string[]): string {
    const output = `${this.#prefix}own${this.unpacking.length}`;
    this.unpacking.push({ op, domain: '', inputs, outputs: [output], attributes: {} });
    return output;
  }

  #constant(where: 'outer' | 'inner', name: string, values: readonly number[]): string {
    const data = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    this.initializers[where].push({ name: `${this.#prefix}${name}`, type: 'int64', shape: [values.length], data });
    return `${this.#prefix}${name}`;
  }
}
