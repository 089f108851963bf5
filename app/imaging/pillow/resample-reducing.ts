import type { Windows } from './resample-windows.ts';
import type { RowBuffer, RowStage } from './row-buffer.ts';
import type { RowWeigher } from './row-weigher.ts';

/**
 * The vertical pass for an output lower than the input: an input row belongs to a handful of output rows, so the sums of those are
 * kept and no input row is, however wide the windows are.
 */
export class ReducingPass implements RowStage {
  readonly #windows: Windows;
  readonly #weigher: RowWeigher;
  readonly #next: RowBuffer;
  /** Addresses, by output row. */
  readonly #open = new Map<number, number>();
  readonly #spare: number[] = [];
  #firstRow = 0;
  #y = 0;

  constructor(windows: Windows, weigher: RowWeigher, next: RowBuffer) {
    this.#windows = windows;
    this.#weigher = weigher;
    this.#next = next;
  }

  take(address: number, rows: number): number {
    const { outputSize, starts } = this.#windows;
    const end = this.#firstRow + rows;
    for (let y = this.#y; y < outputSize && (starts[y] ?? 0) < end; y++) this.#add(y, address, end);
    this.#firstRow = end;
    return 0;
  }

  end(): void {
    this.#next.end();
  }

  /** Adds those of the rows at an address, which end before row `end`, that belong to output row `y`. */
  #add(y: number, address: number, end: number): void {
    const { starts, counts } = this.#windows;
    const start = starts[y] ?? 0;
    const from = Math.max(start, this.#firstRow);
    const rows = Math.min(start + (counts[y] ?? 0), end) - from;
    const rowsAt = address + (from - this.#firstRow) * this.#weigher.rowBytes;
    const part = { address: rowsAt, rows, y, skipped: from - start };
    const sums = this.#open.get(y) ?? this.#spare.pop() ?? this.#weigher.allocateSums();
    if (this.#weigher.isLast(part)) {
      this.#weigher.weigh(part, sums, this.#next.room(1));
      this.#open.delete(y);
      this.#spare.push(sums);
      this.#y = y + 1;
    } else {
      this.#weigher.weigh(part, sums, 0);
      this.#open.set(y, sums);
    }
  }
}
