import { CallerQueueFullError, QueueFullError } from '../errors.ts';
import type { Job } from '../job.ts';
import type { PlaceLimits } from '../job-queue.ts';
import type { ServiceRate } from '../service-rate.ts';
import type { StartOrder } from './start-order.ts';

/** How many more may wait. Requests that are being stored have a place already. */
export class QueuePlaces {
  readonly #limits: PlaceLimits;
  readonly #order: Pick<StartOrder, 'size' | 'sizeOf'>;
  readonly #rate: ServiceRate;
  readonly #running: () => readonly Job[];
  readonly #taken: string[] = [];

  /** @param running those jobs on images that run now, by which it is told when there will be a place */
  constructor(
    limits: PlaceLimits,
    {
      order,
      rate,
      running,
    }: { order: Pick<StartOrder, 'size' | 'sizeOf'>; rate: ServiceRate; running: () => readonly Job[] },
  ) {
    this.#limits = limits;
    this.#order = order;
    this.#rate = rate;
    this.#running = running;
  }

  /** @throws QueueFullError, CallerQueueFullError */
  assertFree(caller: string): void {
    const { maxQueue, maxQueuePerCaller = maxQueue } = this.#limits;
    const waiting = this.#order.size + this.#taken.length;
    if (waiting >= maxQueue) throw new QueueFullError(waiting, this.#secondsUntilFree());
    if (maxQueuePerCaller >= maxQueue) return;
    const theirs = this.#order.sizeOf(caller) + this.#taken.filter((other) => other === caller).length;
    if (theirs >= maxQueuePerCaller) throw new CallerQueueFullError(theirs, this.#secondsUntilFree());
  }

  /** Holds a place for one of a caller's while `store` runs, which puts it into the order. */
  async holding<T>(caller: string, store: () => Promise<T>): Promise<T> {
    this.#taken.push(caller);
    try {
      return await store();
    } finally {
      this.#taken.splice(this.#taken.indexOf(caller), 1);
    }
  }

  #secondsUntilFree(): number {
    return this.#rate.secondsUntilFree(this.#running());
  }
}
