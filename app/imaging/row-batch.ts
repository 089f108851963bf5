import type { BitDepth, Samples } from './image.ts';
import { allocateSamples } from './image.ts';

/** Takes rows, all of them whole; the array is the caller's and may be reused. */
export type PushRows = (rows: Samples) => void;

/** About this many samples are worth handing on at once: few calls, and the second-level cache still holds them. */
export const BATCH_SAMPLES = 1 << 18;

/** How many rows of `rowLength` samples make a batch. */
export function batchRows(rowLength: number): number {
  return Math.max(1, Math.trunc(BATCH_SAMPLES / rowLength));
}

/** Hands finished rows on in batches instead of one by one. */
export class RowBatch {
  readonly #rows: Samples;
  readonly #rowLength: number;
  readonly #push: PushRows;
  #filled = 0;

  /** @param shape samples in a row, and how many rows there will be at most */
  constructor(
    shape: { readonly rowLength: number; readonly height: number; readonly depth: BitDepth },
    push: PushRows,
  ) {
    this.#rowLength = shape.rowLength;
    this.#rows = allocateSamples(shape.depth, Math.min(batchRows(shape.rowLength), shape.height) * shape.rowLength);
    this.#push = push;
  }

  /** The row to write next; it goes on its way at the next call, or at `flush`. */
  nextRow(): Samples {
    if (this.#filled === this.#rows.length) this.flush();
    this.#filled += this.#rowLength;
    return this.#rows.subarray(this.#filled - this.#rowLength, this.#filled);
  }

  flush(): void {
    if (this.#filled > 0) this.#push(this.#rows.subarray(0, this.#filled));
    this.#filled = 0;
  }
}
