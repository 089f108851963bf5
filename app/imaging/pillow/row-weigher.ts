import type { BitDepth } from '../image.ts';
import type { KernelMemory } from './kernel-memory.ts';
import type { KernelWeights } from './kernel-weights.ts';
import { putWeights } from './kernel-weights.ts';
import type { Windows } from './resample-windows.ts';

/** Rows one under another that belong to one window. */
export interface WindowPart {
  readonly address: number;
  readonly rows: number;
  /** The output row that they are weighed for. */
  readonly y: number;
  /** How many rows of the window came before these. */
  readonly skipped: number;
}

/** Bits of what `weighRows8` calls its reach. */
const BEGINS = 1;
const ENDS = 2;

/**
 * Weighs rows for the rows of an output. Arithmetic as Pillow's `_ImagingResampleVertical_8bpc` (exact, so the order of adding is
 * free) and `_16bpc` (doubles, added from the top).
 */
export class RowWeigher {
  readonly #memory: KernelMemory;
  readonly #counts: Int32Array;
  readonly #weights: KernelWeights;
  readonly #rowLength: number;
  readonly #depth: BitDepth;

  /** @param rowLength samples in a row, the same before and after */
  constructor(memory: KernelMemory, windows: Windows, rowLength: number, depth: BitDepth) {
    this.#memory = memory;
    this.#counts = windows.counts;
    this.#weights = putWeights(memory, windows, depth);
    this.#rowLength = rowLength;
    this.#depth = depth;
  }

  get rowBytes(): number {
    return (this.#rowLength * this.#depth) / 8;
  }

  /** Room for the sums of one output row while its window is only partly there. */
  allocateSums(): number {
    return this.#memory.allocate(this.#rowLength * (this.#depth === 8 ? 4 : 8));
  }

  /** Whether the window ends with this part. */
  isLast({ y, skipped, rows }: WindowPart): boolean {
    return skipped + rows === this.#counts[y];
  }

  /** Adds a part to the sums of its output row; the last one becomes samples at `target`. */
  weigh(part: WindowPart, sums: number, target: number): void {
    const first = part.y * this.#weights.stride + part.skipped * this.#weights.size;
    if (this.#depth === 8) this.#weigh8(part, first, sums, target);
    else this.#weigh16(part, first, sums, target);
  }

  #weigh8(part: WindowPart, first: number, sums: number, target: number): void {
    const reach = (part.skipped === 0 ? BEGINS : 0) + (this.isLast(part) ? ENDS : 0);
    const { address, highs } = this.#weights;
    const { weighRows8 } = this.#memory.kernels;
    weighRows8(part.address, this.#rowLength, address + first, highs + first, part.rows, sums, target, reach);
  }

  #weigh16(part: WindowPart, first: number, sums: number, target: number): void {
    const { addRows16, roundSums16 } = this.#memory.kernels;
    if (part.skipped === 0) this.#memory.bytes(sums, this.#rowLength * 8).fill(0);
    addRows16(part.address, this.#rowLength, this.#weights.address + first, part.rows, sums);
    if (this.isLast(part)) roundSums16(sums, this.#rowLength, target);
  }
}
