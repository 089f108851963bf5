import type { KernelMemory } from './kernel-memory.ts';

/** A step that rows go through. */
export interface RowStage {
  /**
   * Takes the rows at an address, and those that it asked to keep before them.
   * @returns how many of the last ones it wants to see again, before those that follow
   */
  take(address: number, rows: number): number;
  /** There are no more rows. */
  end(): void;
}

/** Rows in the kernels' memory on their way to a step: gathered, so that it gets many at a time. */
export class RowBuffer {
  readonly rowBytes: number;
  readonly #memory: KernelMemory;
  readonly #capacity: number;
  readonly #address: number;
  readonly #stage: RowStage;
  #filled = 0;

  /** @param capacity rows for which there is room, those that the stage keeps among them */
  constructor(
    memory: KernelMemory,
    { rowBytes, capacity }: { readonly rowBytes: number; readonly capacity: number },
    stage: RowStage,
  ) {
    this.rowBytes = rowBytes;
    this.#memory = memory;
    this.#capacity = capacity;
    this.#address = memory.allocate(rowBytes * capacity);
    this.#stage = stage;
  }

  /** Where the next rows are to be written. They go on at the next call, or at the end. */
  room(rows: number): number {
    if (this.#filled + rows > this.#capacity) this.#flush();
    const address = this.#address + this.#filled * this.rowBytes;
    this.#filled += rows;
    return address;
  }

  end(): void {
    this.#flush();
    this.#stage.end();
  }

  #flush(): void {
    const kept = this.#stage.take(this.#address, this.#filled);
    const from = this.#address + (this.#filled - kept) * this.rowBytes;
    if (kept > 0) this.#memory.move(from, this.#address, kept * this.rowBytes);
    this.#filled = kept;
  }
}
