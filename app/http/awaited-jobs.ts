import { JobFinishedError, JobNotFoundError } from '../jobs/errors.ts';
import type { Job } from '../jobs/job.ts';
import { hasEnded } from '../jobs/job.ts';
import type { JobEvents } from '../jobs/job-events.ts';
import type { JobQueue } from '../jobs/job-queue.ts';

const ENDINGS = ['completed', 'failed', 'cancelled'] as const;
/** After these nobody waits any longer; a job that was interrupted is answered as it stands. */
const LAST_WORDS = [...ENDINGS, 'interrupted'] as const;

export interface WaitOptions {
  /** Aborts when the caller disconnects. */
  readonly signal: AbortSignal;
  /** Longest wait; undefined is as long as the job takes. */
  readonly waitMs: number | undefined;
}

/**
 * Jobs whose callers hold a request open. When the last of them disconnects the job is cancelled, unless someone was given
 * its id to come back with.
 */
export class AwaitedJobs {
  readonly #queue: JobQueue;
  readonly #waiting = new Map<string, number>();
  readonly #kept = new Set<string>();

  constructor(queue: JobQueue) {
    this.#queue = queue;
    for (const ending of ENDINGS) queue.events.on(ending, ({ id }) => this.#kept.delete(id));
  }

  /** Someone is told the job's id: from now on it does not end with the requests that wait for it. */
  keep(id: string): void {
    this.#kept.add(id);
  }

  /** The job when it has ended, or as it stands after `waitMs` or when the service stops; undefined when the caller has gone. */
  async wait(id: string, { signal, waitMs }: WaitOptions): Promise<Job | undefined> {
    this.#waiting.set(id, (this.#waiting.get(id) ?? 0) + 1);
    try {
      const job = await this.#endOf(id, { signal, waitMs });
      if (!hasEnded(job.status) && !signal.aborted) this.#kept.add(id);
      return signal.aborted ? undefined : job;
    } finally {
      const others = (this.#waiting.get(id) ?? 1) - 1;
      if (others > 0) this.#waiting.set(id, others);
      else this.#waiting.delete(id);
      if (others === 0 && signal.aborted && !this.#kept.has(id)) await this.#cancel(id);
    }
  }

  async #endOf(id: string, { signal, waitMs }: WaitOptions): Promise<Job> {
    const timeout = new AbortController();
    const timer = waitMs === undefined ? undefined : setTimeout(() => timeout.abort(), waitMs);
    // Listening begins before the state is read, so that an end in between is not missed.
    const ended = endOrAbort(this.#queue.events, id, AbortSignal.any([signal, timeout.signal]));
    try {
      const job = await this.#queue.get(id);
      if (hasEnded(job.status) || waitMs === 0) return job;
      return (await ended) ?? (await this.#queue.get(id));
    } finally {
      clearTimeout(timer);
      timeout.abort();
    }
  }

  async #cancel(id: string): Promise<void> {
    try {
      await this.#queue.cancel(id);
    } catch (error) {
      if (!(error instanceof JobFinishedError || error instanceof JobNotFoundError)) throw error;
    }
  }
}

/** The ended or interrupted job, or undefined when `signal` aborts first. */
function endOrAbort(events: JobEvents, id: string, signal: AbortSignal): Promise<Job | undefined> {
  return new Promise((resolve) => {
    const settle = (job?: Job): void => {
      for (const ending of LAST_WORDS) events.off(ending, check);
      signal.removeEventListener('abort', abort);
      resolve(job);
    };
    const abort = (): void => settle();
    const check = (job: Job): void => {
      if (job.id === id) settle(job);
    };
    for (const ending of LAST_WORDS) events.on(ending, check);
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
  });
}
