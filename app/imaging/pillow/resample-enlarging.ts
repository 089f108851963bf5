import type { Windows } from './resample-windows.ts';
import type { RowBuffer, RowStage } from './row-buffer.ts';
import type { RowWeigher } from './row-weigher.ts';

/**
 * The vertical pass for an output that is at least as high as the input: keeps the few rows that the next output row needs, and
 * weighs each output row in one go.
 */
export class EnlargingPass implements RowStage {
  readonly #windows: Windows;
  readonly #weigher: RowWeigher;
  readonly #sums: number;
  readonly #next: RowBuffer;
  #firstRow = 0;
  #y = 0;

  constructor(windows: Windows, weigher: RowWeigher, next: RowBuffer) {
    this.#windows = windows;
    this.#weigher = weigher;
    this.#sums = weigher.allocateSums();
    this.#next = next;
  }

  /** Rows that are kept at most. */
  static keptRows(windows: Windows): number {
    return Math.max(...windows.counts);
  }

  take(address: number, rows: number): number {
    const { outputSize, starts, counts } = this.#windows;
    const end = this.#firstRow + rows;
    for (; this.#y < outputSize; this.#y++) {
      const [start, count] = [starts[this.#y] ?? 0, counts[this.#y] ?? 0];
      if (start + count > end) break;
      const from = address + (start - this.#firstRow) * this.#weigher.rowBytes;
      this.#weigher.weigh({ address: from, rows: count, y: this.#y, skipped: 0 }, this.#sums, this.#next.room(1));
    }
    this.#firstRow = Math.min(starts[this.#y] ?? end, end);
    return end - this.#firstRow;
  }

  end(): void {
    this.#next.end();
  }
}
