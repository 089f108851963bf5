import type { Job } from './job.ts';
import { secondsBetween } from './job-times.ts';

/** Before anything was measured. */
const FIRST_GUESS_SECONDS = 10;
const MAX_WAIT_SECONDS = 300;
/** Weight of the newest run in the running mean. */
export const NEWEST_WEIGHT = 0.2;

/** What tells of a job that runs how long it goes on. */
export type JobPace = Pick<Job, 'startedAt' | 'steady'> & { readonly progress: Pick<Job['progress'], 'secondsLeft'> };

/** How fast jobs have been served lately: a running mean of how long they ran. */
export class ServiceRate {
  readonly #workers: number;
  #meanSeconds: number | undefined;

  /** @param meanSeconds where something was measured before */
  constructor(workers: number, meanSeconds?: number) {
    this.#workers = workers;
    this.#meanSeconds = meanSeconds;
  }

  /** Downloads do not count: they say nothing of the others, nor of each other. */
  ran(job: Job): void {
    const seconds = secondsBetween(job, 'started', 'now');
    if (seconds === undefined || job.work.kind === 'download') return;
    this.#meanSeconds =
      this.#meanSeconds === undefined ? seconds : this.#meanSeconds * (1 - NEWEST_WEIGHT) + seconds * NEWEST_WEIGHT;
  }

  /**
   * Seconds, 1 to 300, after which a full queue is likely to have a place: when the first of those that run ends.
   * @param running jobs, where it is known how they stand; one of which nothing says how long it goes on, goes on for as long again
   */
  secondsUntilFree(running: readonly JobPace[] = []): number {
    const mean = this.#meanSeconds ?? FIRST_GUESS_SECONDS;
    const left = (job: JobPace): number =>
      secondsLeft(job, this.#meanSeconds) ?? Math.max(mean, secondsBetween(job, 'started', 'now') ?? 0);
    const seconds = running.length < this.#workers ? mean / this.#workers : Math.min(...running.map(left));
    return Math.min(MAX_WAIT_SECONDS, Math.max(1, Math.ceil(seconds)));
  }

  /** Seconds until a job has ended; undefined where nothing was measured that could say so, and for one that has. */
  secondsUntilEnd(job: Job): number | undefined {
    const { status, queuePosition, work } = job;
    const mean = work.kind === 'download' ? undefined : this.#meanSeconds;
    if (status === 'processing' && job.startedAt !== undefined) return secondsLeft(job, mean);
    if (status !== 'queued' || mean === undefined) return undefined;
    // A job that waits means that all workers are at one, on average halfway; then those before it, then its own run.
    return Math.round(mean * (0.5 + (queuePosition - 1) / this.#workers + 1));
  }
}

/** By its own pace, or by how long others ran. Of one that takes longer than those did nobody knows how much longer. */
function secondsLeft(job: JobPace, mean: number | undefined): number | undefined {
  if (job.progress.secondsLeft !== undefined) return atLeastOne(job.progress.secondsLeft);
  const elapsed = secondsBetween(job, 'started', 'now') ?? 0;
  return mean === undefined || elapsed >= mean ? undefined : atLeastOne(mean - elapsed);
}

/** While work is left it takes a second, at least. */
function atLeastOne(seconds: number): number {
  return Math.max(1, Math.round(seconds));
}
