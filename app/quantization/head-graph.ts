import { TO_NCHW, TO_NHWC } from '../onnx/picture-axes.ts';
import type { ProtoGraph } from '../onnx/model-proto.ts';
import type { EnlargingHead } from './enlarging-head.ts';
import { GraphEditor } from './graph-editor.ts';
import type { HeadNumbers, HeadOperands } from './head-numbers.ts';
import { BOTTOM, gainOf, MIDDLE } from './head-bytes.ts';
import { TAPS } from './head-weights.ts';

const MICROSOFT = { domain: 'com.microsoft' } as const;

/** The graph with its head in 8-bit integers, channels last; the picture that it makes is float32. */
export function withInt8Head(graph: ProtoGraph, head: EnlargingHead, numbers: HeadNumbers): ProtoGraph {
  return new HeadRewriter(numbers).rewrite(graph, head);
}

class HeadRewriter {
  readonly #editor = new GraphEditor('int8_head');
  readonly #numbers: HeadNumbers;

  constructor(numbers: HeadNumbers) {
    this.#numbers = numbers;
  }

  rewrite(graph: ProtoGraph, head: EnlargingHead): ProtoGraph {
    let bytes = this.#enter(head.input);
    head.convs.forEach(({ slope }, index) => {
      bytes = this.#made(bytes, index, slope);
    });
    this.#leave(bytes, head);
    return this.#editor.spliced(graph, head.nodes);
  }

  #enter(input: string): string {
    const pixels = this.#editor.node('Transpose', [input], { perm: TO_NHWC });
    const inverse = this.#editor.floats(this.#numbers.input.map((scale) => 1 / scale));
    const scaled = this.#editor.node('Mul', [pixels, inverse]);
    const inputs = [scaled, this.#editor.float(1), this.#editor.byte(MIDDLE)];
    return this.#editor.node('QuantizeLinear', inputs);
  }

  /** What a convolution and the leaky ReLU behind it make. */
  #made(input: string, index: number, slope: number): string {
    const { zeros, convs } = this.#numbers;
    const [before, zero] = [zeros[index] === BOTTOM ? BOTTOM : MIDDLE, zeros[index + 1] ?? MIDDLE];
    const parts = convs[index] ?? [];
    const rows = parts.map((operands, row) => {
      const pads = parts.length > 1 ? [1 - row, 1, row, 1] : [1, 1, 1, 1];
      const sums = this.#conv(input, operands, { before, zero, pads });
      return zero === BOTTOM ? sums : this.#leakyRelu(sums, slope, zero);
    });
    const [first = ''] = rows;
    return rows.length > 1 ? this.#woven(rows, (parts[0]?.weight.shape[0] ?? 0) / 2) : first;
  }

  /** @param bytes.before the byte that stands for nothing in its input, and `zero` in its output */
  #conv(
    input: string,
    { weight, scale, bias }: HeadOperands,
    { before, zero, pads }: { readonly before: number; readonly zero: number; readonly pads: readonly number[] },
  ): string {
    const editor = this.#editor;
    const one = editor.float(1);
    const weights = [editor.given(weight), editor.given(scale), editor.signedByte(0)];
    const inputs = [input, one, editor.byte(before), ...weights, one, editor.byte(zero), editor.given(bias)];
    const attributes = { kernel_shape: weight.shape.slice(2), pads, channels_last: 1 };
    return editor.node('QLinearConv', inputs, attributes, MICROSOFT);
  }

  /** Rows [N, H, W, 2 C], of pixels that lie side by side, as every other row of [N, 2 H, 2 W, C]: whole rows are copied. */
  #woven(rows: readonly string[], channels: number): string {
    const editor = this.#editor;
    const pixels = rows.map((row) => editor.node('Reshape', [row, editor.integers([0, 0, -1, channels])]));
    const oneRow = editor.node('Shape', [pixels[0] ?? '']);
    const twice = editor.node('Mul', [oneRow, editor.integers([1, rows.length, 1, 1])]);
    return editor.node('Reshape', [editor.node('Concat', pixels, { axis: 2 }), twice]);
  }

  #leakyRelu(input: string, slope: number, zero: number): string {
    const editor = this.#editor;
    const inputs = [input, editor.float(gainOf({ zero })), editor.byte(zero), editor.float(1), editor.byte(MIDDLE)];
    return editor.node('QLinearLeakyRelu', inputs, { alpha: { float: slope } }, MICROSOFT);
  }

  /** What the taps of the last convolution make of every pixel, as float32, added up where they meet. */
  #leave(bytes: string, { output, last }: EnlargingHead): void {
    const editor = this.#editor;
    const { weight, scale, bias } = this.#numbers.last;
    const zero = this.#numbers.zeros.at(-1) === BOTTOM ? BOTTOM : MIDDLE;
    const steps = [editor.float(1), editor.given(scale), editor.byte(zero)];
    const inputs = [bytes, editor.given(weight), ...steps, '', editor.given(bias)];
    const products = editor.node('MatMulIntegerToFloat', inputs, {}, MICROSOFT);
    const padded = editor.node('Pad', [products, editor.integers([0, 1, 1, 0, 0, 1, 1, 0])]);
    const axes = editor.integers([1, 2, 3]);
    const channels = last.weight.shape[0] ?? 0;
    const shifted = Array.from({ length: TAPS ** 2 }, (_, tap) => {
      const [down, across] = [Math.floor(tap / TAPS), tap % TAPS];
      const from = editor.integers([down, across, tap * channels]);
      const to = editor.integers([endOf(down), endOf(across), (tap + 1) * channels]);
      return editor.node('Slice', [padded, from, to, axes]);
    });
    editor.node('Transpose', [editor.node('Sum', shifted)], { perm: TO_NCHW }, { output });
  }
}

/** Where a side ends whose first pixels are left out, and of the two that stand beyond it the rest. */
function endOf(first: number): number {
  return first === TAPS - 1 ? Number.MAX_SAFE_INTEGER : first - (TAPS - 1);
}
