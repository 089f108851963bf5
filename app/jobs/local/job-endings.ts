import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../logger.ts';
import type { Job } from '../job.ts';
import { hasEnded } from '../job.ts';
import { steadyNow } from '../job-times.ts';
import type { JobFiles } from '../job-files.ts';
import { KEPT_JOBS } from '../job-queue.ts';
import type { JobOutcome } from '../run-job.ts';
import type { JobTable } from './job-table.ts';
import type { Journal } from './journal.ts';
import type { RequestKeys } from './request-keys.ts';
import type { StartOrder } from './start-order.ts';
import type { StoredJob } from './stored-job.ts';
import { storedJob } from './stored-job.ts';

/** How often the end of a job is written again to a disk that is full. */
const STORE_RETRY_MS = 1000;

/** A job in memory; `job` is replaced, never changed. */
export interface Entry {
  job: Job;
  crashes: number;
  restarts: number;
  /** While it runs. */
  controller?: AbortController;
  /** Its end, from when it is decided until it is stored: the first to decide it has decided. */
  ending?: Promise<void>;
}

export interface JobEndingsOptions {
  readonly files: JobFiles;
  readonly journal: Journal<StoredJob>;
  readonly logger: Logger;
  readonly keptJobs?: number;
  readonly table: JobTable<Entry>;
  readonly order: StartOrder;
  readonly keys: RequestKeys<Entry>;
}

/** How the jobs of one server end: decided once, stored, then told; and how they are forgotten later. */
export class JobEndings {
  readonly #options: JobEndingsOptions;
  #isClosed = false;

  constructor(options: JobEndingsOptions) {
    this.#options = options;
  }

  /** What cannot be stored after this is given up. */
  close(): void {
    this.#isClosed = true;
  }

  /** Decides the end of a job, if nobody has before, and waits until it is stored and told. */
  end(entry: Entry, outcome: JobOutcome): Promise<void> {
    entry.ending ??= this.#finish(entry, outcome);
    return entry.ending;
  }

  /** Writes a job to the journal. A disk that is full now may have room later; one that fails will not. */
  async store(job: Job, { crashes, restarts }: Entry): Promise<void> {
    const { journal, logger } = this.#options;
    for (;;) {
      try {
        await journal.put(storedJob({ job, crashes, restarts }));
        return;
      } catch (error) {
        if (!journal.isUsable || this.#isClosed) throw error;
        logger.error('a job could not be stored; trying again', { job_id: job.id, error });
        await sleep(STORE_RETRY_MS, undefined, { ref: false });
      }
    }
  }

  /** Forgets jobs that have ended, then removes their results: a job that is still known has its files. */
  async forget(jobs: readonly Job[]): Promise<void> {
    const { journal, table, keys, files } = this.#options;
    await journal.remove(jobs.map(({ id }) => id));
    for (const job of jobs) {
      table.delete(job.id);
      await keys.release(job);
      await this.removed(files.removeResults(job), job);
    }
  }

  /** Waits for a removal; one that fails is told in the log and nowhere else. */
  async removed(removal: Promise<void>, job: Job): Promise<void> {
    await removal.catch((error: unknown) => {
      this.#options.logger.warn('files of a job could not be removed', { job_id: job.id, error });
    });
  }

  async #finish(entry: Entry, outcome: JobOutcome): Promise<void> {
    const { files, table, order, keys } = this.#options;
    entry.controller?.abort();
    const hasWaited = order.remove(entry.job);
    const ended = {
      ...entry.job,
      ...outcome,
      queuePosition: 0,
      finishedAt: Date.now(),
      ...steadyNow(entry.job, 'finished'),
    };
    await this.store(ended, entry);
    await this.removed(files.removeInputs(ended), ended);
    if (outcome.status !== 'completed') await this.removed(files.removeResults(ended), ended);
    if (!mayAnswerAgain(ended)) await keys.release(ended);
    table.end(entry, ended);
    if (hasWaited) table.tellPositions();
    await this.#evict();
  }

  async #evict(): Promise<void> {
    const { table, keptJobs = KEPT_JOBS } = this.#options;
    const ended = table.jobs().filter(({ status }) => hasEnded(status));
    if (ended.length > keptJobs) await this.forget(ended.slice(0, ended.length - keptJobs));
  }
}

/** Whether a request with the key of this job is answered with it: what failed or was cancelled is done anew instead. */
export function mayAnswerAgain({ status }: Job): boolean {
  return !hasEnded(status) || status === 'completed';
}
