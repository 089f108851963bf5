import type { Wire } from '../onnx/graph.ts';
import type { ElementType, ProtoInitializer, ProtoNode, ProtoValue } from '../onnx/model-proto.ts';

/** cuDNN plans a convolution for operands that begin at a multiple of so many bytes, and fails where one does not. */
const ALIGNMENT_BYTES = 16;
const BYTES: Readonly<Partial<Record<ElementType, number>>> = { float16: 2, bfloat16: 2, float32: 4 };

/**
 * A constant that differs from block to block, as a loop has it: the nodes before the loop that make one stack of it, along a new
 * first axis, and those in the body that make the block's own of its part.
 */
export class StackedOperand {
  /** Before the loop. */
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
  /** What the loop hands to its body. */
  readonly part: ProtoValue;
  /** The operand's name in the first block, and under which the body has it. */
  readonly first: string;
  readonly name: string;
  readonly #prefix: string;

  /**
   * @param rows the operand's name in each block
   * @param wire what it is, its sides known
   * @param steps the nodes of the first block, which say how it is used
   * @param prefix of names that are free
   */
  constructor(rows: readonly string[], wire: Wire, steps: readonly ProtoNode[], prefix: string) {
    this.#prefix = prefix;
    this.first = rows[0] ?? '';
    const isConvolved = steps.some(({ op, inputs: [, ...weights] }) => op === 'Conv' && weights.includes(this.first));
    const shape = wire.shape.map(Number);
    const stack = this.#stacked(rows);
    const size = BYTES[wire.type] ?? ALIGNMENT_BYTES;
    const length = shape.reduce((product, side) => product * side, 1);
    const padding = isConvolved ? (-length * size) & (ALIGNMENT_BYTES - 1) : 0;
    const at = `${prefix}at`;
    this.stack = padding === 0 ? stack : this.#padded(stack, [rows.length, length], padding / size);
    this.part = { name: at, type: wire.type, shape: padding === 0 ? shape : [length + padding / size] };
    this.name = padding === 0 ? at : this.#unpadded(at, shape, length);
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
