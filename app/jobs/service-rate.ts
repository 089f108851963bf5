import type { Job } from './job.ts';

/** Before anything was measured. */
const FIRST_GUESS_SECONDS = 10;
const LONGEST_WAIT_SECONDS = 300;
/** Weight of the newest run in the running mean. */
const NEWEST = 0.2;

/** How fast jobs have been served lately: a running mean of how long they ran. */
export class ServiceRate {
  readonly #workers: number;
  #meanSeconds: number | undefined;

  constructor(workers: number) {
    this.#workers = workers;
  }

  ran({ startedAt }: Pick<Job, 'startedAt'>): void {
    if (startedAt === undefined) return;
    const seconds = (Date.now() - startedAt) / 1000;
    this.#meanSeconds = this.#meanSeconds === undefined ? seconds : this.#meanSeconds * (1 - NEWEST) + seconds * NEWEST;
  }

  /** Seconds, 1 to 300, after which a full queue is likely to have a place. */
  secondsUntilFree(): number {
    const seconds = (this.#meanSeconds ?? FIRST_GUESS_SECONDS) / this.#workers;
    return Math.min(LONGEST_WAIT_SECONDS, Math.max(1, Math.ceil(seconds)));
  }
}
