import type { Logger } from '../logger.ts';
import { JobNotFoundError } from './errors.ts';
import type { JobFiles } from './job-files.ts';
import type { JobQueue } from './job-queue.ts';

/**
 * Files that no job owns are left alone until they are that old, and then for as long again: an upload that is coming in belongs to
 * none yet, and a clock that is set makes files old at once.
 */
const STRANGER_AGE_MS = 1_800_000;

export interface JanitorOptions {
  readonly queue: Pick<JobQueue, 'expire' | 'get'>;
  readonly files: JobFiles;
  readonly logger: Logger;
  /** How long results are kept after their job has ended. */
  readonly jobTtlMs: number;
  readonly janitorIntervalMs: number;
}

/** Removes expired results and files that belong to no job. Files of live jobs and results being read stay. */
export class Janitor {
  readonly #options: JanitorOptions;
  #timer: NodeJS.Timeout | undefined;
  #sweeping: Promise<void> | undefined;
  /** When each file that is old and no job's was first met, in ms of a clock that nobody sets. */
  #strangers: ReadonlyMap<string, number> = new Map();

  constructor(options: JanitorOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => void this.#sweepQuietly(), this.#options.janitorIntervalMs).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#sweeping;
  }

  /** One round. */
  async sweep(): Promise<{ readonly expired: number; readonly orphans: number }> {
    const { queue, files, jobTtlMs } = this.#options;
    const expired = await queue.expire(jobTtlMs);
    const strangers = new Map<string, number>();
    let orphans = 0;
    for (const { jobId, path } of await files.olderThan(Date.now() - STRANGER_AGE_MS)) {
      if (await this.#isKnown(jobId)) continue;
      const metAt = this.#strangers.get(path) ?? performance.now();
      if (performance.now() - metAt < STRANGER_AGE_MS) strangers.set(path, metAt);
      else {
        await files.removeAt(path);
        orphans++;
      }
    }
    this.#strangers = strangers;
    return { expired, orphans };
  }

  async #isKnown(jobId: string): Promise<boolean> {
    try {
      await this.#options.queue.get(jobId);
      return true;
    } catch (error) {
      if (error instanceof JobNotFoundError) return false;
      throw error;
    }
  }

  /** A round that fails is told in the log; the next one tries again. */
  #sweepQuietly(): Promise<void> {
    const { logger } = this.#options;
    this.#sweeping ??= this.sweep()
      .then(
        (removed) => void logger.info('janitor', removed),
        (error: unknown) => void logger.error('the janitor failed', { error }),
      )
      .finally(() => (this.#sweeping = undefined));
    return this.#sweeping;
  }
}
