import type { BitDepth, Samples } from '../image.ts';
import type { Windows } from './resample-windows.ts';
import { FRACTION_BITS, fixedPointWeights } from './resample-windows.ts';
import type { PushRows } from '../row-batch.ts';
import { RowBatch } from '../row-batch.ts';

/** Rows one under another, a weight for each, and the sums they are added to. */
interface Stack<Row, Sums> {
  readonly rows: Row;
  readonly weights: Sums;
  readonly sums: Sums;
}
type Stack8 = Stack<Uint8Array, Int32Array>;
type Stack16 = Stack<Uint16Array, Float64Array>;
type Sums = Int32Array | Float64Array;

/** Bound here: looking them up on the global costs tenfold where the module runs in a `vm` context, as tests do. */
const { imul, max, min } = Math;

/** Samples summed at a time: their sums stay in the first-level cache while the rows of the window go by. */
const BLOCK = 4096;

/**
 * The vertical pass for an output lower than the input: an input row belongs to a handful of output rows, so the sums of
 * those are kept and no input row is, however wide the windows are. Arithmetic as Pillow's
 * `_ImagingResampleVertical_8bpc` (exact, so the order of adding is free) and `_16bpc` (doubles, added from the top).
 *
 * @param rowLength samples in a row, the same before and after
 */
export class ReducingPass {
  readonly #windows: Windows;
  readonly #weights: Sums;
  readonly #rowLength: number;
  readonly #depth: BitDepth;
  readonly #output: RowBatch;
  readonly #open = new Map<number, Sums>();
  readonly #spare: Sums[] = [];
  #firstRow = 0;
  #next = 0;

  constructor(windows: Windows, rowLength: number, depth: BitDepth, push: PushRows) {
    this.#windows = windows;
    this.#weights = depth === 8 ? fixedPointWeights(windows) : windows.weights;
    this.#rowLength = rowLength;
    this.#depth = depth;
    this.#output = new RowBatch({ rowLength, height: windows.outputSize, depth }, push);
  }

  /** Takes the rows that follow the last ones. */
  push(rows: Samples): void {
    const { outputSize, starts, counts } = this.#windows;
    const end = this.#firstRow + rows.length / this.#rowLength;
    for (let y = this.#next; y < outputSize && (starts[y] ?? 0) < end; y++) {
      this.#add(y, rows, end);
      if ((starts[y] ?? 0) + (counts[y] ?? 0) <= end) this.#finish(y);
    }
    if (this.#next === outputSize) this.#output.flush();
    this.#firstRow = end;
  }

  /** Adds those of `rows`, which end before row `end`, that belong to output row `y`. */
  #add(y: number, rows: Samples, end: number): void {
    const { starts, counts, stride } = this.#windows;
    const start = starts[y] ?? 0;
    const from = Math.max(start, this.#firstRow);
    const to = Math.min(start + (counts[y] ?? 0), end);
    const stack = {
      rows: rows.subarray((from - this.#firstRow) * this.#rowLength, (to - this.#firstRow) * this.#rowLength),
      weights: this.#weights.subarray(y * stride + from - start, y * stride + to - start),
      sums: this.#sumsOf(y),
    };
    if (this.#depth === 8) add8(stack as Stack8);
    else add16(stack as Stack16);
  }

  #sumsOf(y: number): Sums {
    const open = this.#open.get(y);
    if (open) return open;
    const is8 = this.#depth === 8;
    const sums = this.#spare.pop() ?? (is8 ? new Int32Array(this.#rowLength) : new Float64Array(this.#rowLength));
    sums.fill(is8 ? 1 << (FRACTION_BITS - 1) : 0);
    this.#open.set(y, sums);
    return sums;
  }

  #finish(y: number): void {
    const sums = this.#sumsOf(y);
    this.#open.delete(y);
    this.#spare.push(sums);
    this.#next = y + 1;
    const row = this.#output.nextRow();
    if (sums instanceof Int32Array) round8(sums, row as Uint8Array);
    else round16(sums, row as Uint16Array);
  }
}

/* eslint-disable @typescript-eslint/no-non-null-assertion -- in bounds by construction; a check would cost more than the sum */

function add8({ rows, weights, sums }: Stack8): void {
  const length = sums.length;
  for (let block = 0; block < length; block += BLOCK) {
    const end = Math.min(block + BLOCK, length);
    let row = 0;
    for (; row + 4 <= weights.length; row += 4) {
      const four = rows.subarray(row * length, (row + 4) * length);
      addFour({ rows: four, weights: weights.subarray(row, row + 4), sums }, block, end);
    }
    for (; row < weights.length; row++) {
      const weight = weights[row]!;
      const base = row * length;
      for (let i = block; i < end; i++) sums[i] = (sums[i]! + imul(rows[base + i]!, weight)) | 0;
    }
  }
}

function addFour({ rows, weights, sums }: Stack8, from: number, to: number): void {
  const length = sums.length;
  const [a, b] = [rows.subarray(0, length), rows.subarray(length, 2 * length)];
  const [c, d] = [rows.subarray(2 * length, 3 * length), rows.subarray(3 * length)];
  const [wa, wb, wc, wd] = [weights[0]!, weights[1]!, weights[2]!, weights[3]!];
  for (let i = from; i < to; i++) {
    const upper = imul(a[i]!, wa) + imul(b[i]!, wb);
    const lower = imul(c[i]!, wc) + imul(d[i]!, wd);
    sums[i] = (sums[i]! + upper + lower) | 0;
  }
}

function add16({ rows, weights, sums }: Stack16): void {
  const length = sums.length;
  for (let row = 0; row < weights.length; row++) {
    const weight = weights[row]!;
    for (let i = 0; i < length; i++) sums[i] = sums[i]! + rows[row * length + i]! * weight;
  }
}

function round8(sums: Int32Array, row: Uint8Array): void {
  const clamped = new Uint8ClampedArray(row.buffer, row.byteOffset, row.length);
  for (let i = 0; i < sums.length; i++) clamped[i] = sums[i]! >> FRACTION_BITS;
}

function round16(sums: Float64Array, row: Uint16Array): void {
  for (let i = 0; i < sums.length; i++) row[i] = min(max(sums[i]! + 0.5, 0), 65535);
}
