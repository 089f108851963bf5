import type { BitDepth, Samples } from '../image.ts';
import { allocateSamples } from '../image.ts';
import type { Windows } from './resample-windows.ts';
import { FRACTION_BITS, fixedPointWeights } from './resample-windows.ts';
import type { PushRows } from '../row-batch.ts';
import { RowBatch } from '../row-batch.ts';

/** Rows one under another, a weight for each, and the row that their weighted sum becomes. */
interface Mix<Row, Weights, Target> {
  readonly rows: Row;
  readonly weights: Weights;
  readonly target: Target;
}
type Mix8 = Mix<Uint8Array, Int32Array, Uint8ClampedArray>;
type Mix16 = Mix<Uint16Array, Float64Array, Uint16Array>;

/** Bound here: looking them up on the global costs tenfold where the module runs in a `vm` context, as tests do. */
const { imul, max, min } = Math;

const HALF = 1 << (FRACTION_BITS - 1);

/** Windows of up to this many rows have a kernel that is written out. */
const WRITTEN_OUT = 6;

/**
 * The vertical pass for an output that is at least as high as the input: keeps the few rows that the next output row
 * needs, and mixes each output row in one go. Arithmetic as Pillow's `_ImagingResampleVertical_8bpc` and `_16bpc`.
 *
 * @param rowLength samples in a row, the same before and after
 */
export class EnlargingPass {
  readonly #windows: Windows;
  readonly #fixedWeights: Int32Array;
  readonly #rowLength: number;
  readonly #depth: BitDepth;
  readonly #output: RowBatch;
  #rows: Samples;
  #firstRow = 0;
  #rowCount = 0;
  #next = 0;

  constructor(windows: Windows, rowLength: number, depth: BitDepth, push: PushRows) {
    this.#windows = windows;
    this.#fixedWeights = fixedPointWeights(windows);
    this.#rowLength = rowLength;
    this.#depth = depth;
    this.#rows = allocateSamples(depth, 0);
    this.#output = new RowBatch({ rowLength, height: windows.outputSize, depth }, push);
  }

  /** Takes the rows that follow the last ones. */
  push(rows: Samples): void {
    this.#append(rows);
    const { outputSize, starts, counts } = this.#windows;
    const end = this.#firstRow + this.#rowCount;
    while (this.#next < outputSize && (starts[this.#next] ?? 0) + (counts[this.#next] ?? 0) <= end) {
      this.#mix(this.#next++);
    }
    if (this.#next === outputSize) this.#output.flush();
    this.#dropBefore(Math.min(starts[this.#next] ?? end, end));
  }

  #append(rows: Samples): void {
    const kept = this.#rowCount * this.#rowLength;
    // A written-out kernel may look, with weights of 0, at rows past its window: they have to exist.
    const needed = kept + rows.length + WRITTEN_OUT * this.#rowLength;
    if (this.#rows.length < needed) {
      const larger = allocateSamples(this.#depth, needed);
      larger.set(this.#rows.subarray(0, kept));
      this.#rows = larger;
    }
    this.#rows.set(rows, kept);
    this.#rowCount += rows.length / this.#rowLength;
  }

  #dropBefore(row: number): void {
    this.#rows.copyWithin(0, (row - this.#firstRow) * this.#rowLength, this.#rowCount * this.#rowLength);
    this.#rowCount -= row - this.#firstRow;
    this.#firstRow = row;
  }

  #mix(y: number): void {
    const { starts, counts, stride, weights } = this.#windows;
    const from = ((starts[y] ?? 0) - this.#firstRow) * this.#rowLength;
    const target = this.#output.nextRow();
    const count = counts[y] ?? 0;
    if (target instanceof Uint8Array) {
      const even = count + (count % 2);
      const taps = even <= Math.min(WRITTEN_OUT, stride) ? even : count;
      mix8({
        rows: this.#rows.subarray(from, from + taps * this.#rowLength) as Uint8Array,
        weights: this.#fixedWeights.subarray(y * stride, y * stride + taps),
        target: new Uint8ClampedArray(target.buffer, target.byteOffset, target.length),
      });
    } else {
      const rows = this.#rows.subarray(from, from + count * this.#rowLength) as Uint16Array;
      mix16({ rows, weights: weights.subarray(y * stride, y * stride + count), target });
    }
  }
}

function mix8(mix: Mix8): void {
  const taps = mix.weights.length;
  if (taps === 2) mixTwo(mix);
  else if (taps === 4) mixFour(mix);
  else if (taps === 6) mixSix(mix);
  else mixAny(mix);
}

// Written out so that the sum stays in a register and every row is read once: half the time of a running sum in memory.
/* eslint-disable @typescript-eslint/no-non-null-assertion -- in bounds by construction; a check would cost more than the sum */

function mixTwo({ rows, weights, target }: Mix8): void {
  const length = target.length;
  const [a, b] = [rows.subarray(0, length), rows.subarray(length)];
  const [wa, wb] = [weights[0]!, weights[1]!];
  for (let i = 0; i < length; i++) target[i] = (HALF + imul(a[i]!, wa) + imul(b[i]!, wb)) >> FRACTION_BITS;
}

function mixFour({ rows, weights, target }: Mix8): void {
  const length = target.length;
  const [a, b] = [rows.subarray(0, length), rows.subarray(length, 2 * length)];
  const [c, d] = [rows.subarray(2 * length, 3 * length), rows.subarray(3 * length)];
  const [wa, wb, wc, wd] = [weights[0]!, weights[1]!, weights[2]!, weights[3]!];
  for (let i = 0; i < length; i++) {
    const upper = imul(a[i]!, wa) + imul(b[i]!, wb);
    const lower = imul(c[i]!, wc) + imul(d[i]!, wd);
    target[i] = (HALF + upper + lower) >> FRACTION_BITS;
  }
}

function mixSix({ rows, weights, target }: Mix8): void {
  const length = target.length;
  const [a, b] = [rows.subarray(0, length), rows.subarray(length, 2 * length)];
  const [c, d] = [rows.subarray(2 * length, 3 * length), rows.subarray(3 * length, 4 * length)];
  const [e, f] = [rows.subarray(4 * length, 5 * length), rows.subarray(5 * length)];
  const [wa, wb, wc] = [weights[0]!, weights[1]!, weights[2]!];
  const [wd, we, wf] = [weights[3]!, weights[4]!, weights[5]!];
  for (let i = 0; i < length; i++) {
    const upper = imul(a[i]!, wa) + imul(b[i]!, wb) + imul(c[i]!, wc);
    const lower = imul(d[i]!, wd) + imul(e[i]!, we) + imul(f[i]!, wf);
    target[i] = (HALF + upper + lower) >> FRACTION_BITS;
  }
}

/** An odd window of full width: bounds that fall on the rounding error of an integer make one. */
function mixAny({ rows, weights, target }: Mix8): void {
  const length = target.length;
  for (let i = 0; i < length; i++) {
    let sum = HALF;
    for (let row = 0; row < weights.length; row++) sum = (sum + imul(rows[row * length + i]!, weights[row]!)) | 0;
    target[i] = sum >> FRACTION_BITS;
  }
}

function mix16({ rows, weights, target }: Mix16): void {
  const length = target.length;
  for (let i = 0; i < length; i++) {
    let sum = 0;
    for (let row = 0; row < weights.length; row++) sum += rows[row * length + i]! * weights[row]!;
    target[i] = min(max(sum + 0.5, 0), 65535);
  }
}
