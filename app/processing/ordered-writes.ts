import { availableParallelism } from 'node:os';

/** Each takes a thread, a result's room on disk and what its encoder needs; from so many on the disk is what is waited for. */
const MAX_AT_ONCE = 4;
/** Cores for each: the network and what is decoded have the others. */
const CORES_EACH = 4;

/** Results of one task that are written beside the work on further images, a few at once, and put in place in their order. */
export class OrderedWrites {
  readonly #max: number;
  readonly #running: Promise<void>[] = [];
  #last: Promise<void> = Promise.resolve();

  /** @param max how many are written at once; by default one for every four cores, up to four */
  constructor(max = Math.min(MAX_AT_ONCE, Math.max(1, Math.floor(availableParallelism() / CORES_EACH)))) {
    this.#max = max;
  }

  /**
   * Starts a write as soon as there is room for it.
   * @param write is handed its turn, which comes when all before it are through, and which it has to await; it rejects as they do
   * @throws what one before it threw
   */
  async add(write: (turn: Promise<void>) => Promise<void>): Promise<void> {
    while (this.#running.length >= this.#max) await this.#running.shift();
    const written = write(this.#last);
    written.catch(() => undefined); // `through` tells of it
    this.#running.push(written);
    this.#last = written;
  }

  /** All are through. @throws what one of them threw */
  through(): Promise<void> {
    return this.#last;
  }

  /** None is running any more, whatever became of it. */
  async ended(): Promise<void> {
    await this.#last.catch(() => undefined);
  }
}
