import { FairOrder } from './fair-order.ts';
import type { Job } from '../job.ts';
import { MAX_DOWNLOADS } from '../job-queue.ts';

/**
 * The order in which the jobs of one server start. There are two lines, each in fair order: a download takes hardly any of the
 * machine, and minutes, so neither do images wait for it nor it for them.
 */
export class StartOrder {
  readonly #images = new FairOrder();
  readonly #downloads = new FairOrder();
  readonly #workers: number;

  /** @param workers jobs on images that run at once */
  constructor(workers: number) {
    this.#workers = workers;
  }

  get size(): number {
    return this.#images.size + this.#downloads.size;
  }

  /** How many of one caller wait. */
  sizeOf(caller: string): number {
    return this.#images.sizeOf(caller) + this.#downloads.sizeOf(caller);
  }

  add(job: Job): void {
    this.#lineOf(job).add(job);
  }

  /** Adds one that goes before all that were added by `add`. */
  addFirst(job: Job): void {
    this.#lineOf(job).addFirst(job);
  }

  /** Takes out the id of one whose turn it is, given those that run; undefined where none may start. */
  next(running: readonly Job[]): string | undefined {
    const downloads = running.filter(isDownload).length;
    const image = running.length - downloads < this.#workers ? this.#images.next() : undefined;
    return image ?? (downloads < MAX_DOWNLOADS ? this.#downloads.next() : undefined);
  }

  /** Whether it was there. */
  remove(job: Job): boolean {
    return this.#lineOf(job).remove(job);
  }

  /** Where one stands in its line, from 1; 0 where it does not wait. */
  position(job: Job): number {
    return this.#lineOf(job).positions().get(job.id) ?? 0;
  }

  /** The ids of those that stand at `last` in their line, or before it. */
  *upTo(last: number): Generator<string, void> {
    for (const line of [this.#images, this.#downloads]) {
      for (const [id, position] of line.positions()) {
        if (position > last) break;
        yield id;
      }
    }
  }

  #lineOf(job: Job): FairOrder {
    return isDownload(job) ? this.#downloads : this.#images;
  }
}

function isDownload({ work }: Job): boolean {
  return work.kind === 'download';
}
