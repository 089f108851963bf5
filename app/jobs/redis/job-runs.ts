import { randomUUID } from 'node:crypto';
import type { Logger } from '../../logger.ts';
import { JobInterruptedError, StoreUnavailableError } from '../errors.ts';
import type { Job, JobHandler } from '../job.ts';
import { hasEnded } from '../job.ts';
import { ProgressThrottle } from '../job-events.ts';
import type { JobFiles } from '../job-files.ts';
import { MAX_RESTARTS } from '../job-queue.ts';
import type { JobOutcome } from '../run-job.ts';
import { logInterrupted, runJob } from '../run-job.ts';
import type { RecordedJob } from './job-record.ts';
import type { JobStore, RunName } from './job-store.ts';
import type { Line } from './lines.ts';

/** How long Redis is left alone after it could not be asked. */
const STORE_RETRY_MS = 500;

/** A job that runs on this server; `job` is replaced, never changed. */
interface OwnRun {
  job: Job;
  crashes: number;
  readonly restarts: number;
  readonly run: string;
  readonly controller: AbortController;
  /** The attempt whose result folder belongs to this run: only a run that was begun may remove it. */
  attempt: number;
}

export interface JobRunsOptions {
  readonly store: JobStore;
  readonly handler: JobHandler;
  readonly files: JobFiles;
  readonly logger: Logger;
  /** Runs what may end a job. */
  readonly ending: <T>(id: string, work: () => Promise<T>) => Promise<T>;
  /** This server has put a job in its last state. */
  readonly onSettled: (job: Job) => Promise<void>;
  /** A job has to go on elsewhere. */
  readonly onInterrupted: (job: Job) => void;
  /** What waits has moved. */
  readonly onMoved: () => void;
}

/** The jobs that run on this server. */
export class JobRuns {
  readonly #options: JobRunsOptions;
  readonly #runs = new Map<string, OwnRun>();
  readonly #work = new Set<Promise<void>>();
  readonly #throttle = new ProgressThrottle((id) => void this.#report(id));
  /** Takes no more; at last gives back what runs. */
  #state: 'open' | 'draining' | 'closed' = 'open';

  constructor(options: JobRunsOptions) {
    this.#options = options;
  }

  names(): readonly RunName[] {
    return [...this.#runs.values()].map(({ job: { id }, run }) => ({ id, run }));
  }

  /** Runs the job that a ticket is good for. Never rejects. */
  use(ticket: string, line: Line): Promise<void> {
    const work = this.#use(ticket, line)
      .catch((error: unknown) => void this.#options.logger.error('a run broke off; it is made up for', { error }))
      .finally(() => this.#work.delete(work));
    this.#work.add(work);
    return work;
  }

  /** The job with the changes that have not been written to Redis yet. */
  newest({ job, run }: RecordedJob): Job {
    const mine = this.#runs.get(job.id);
    if (mine?.run !== run || job.status !== 'processing') return job;
    return { ...job, progress: mine.job.progress, failures: mine.job.failures };
  }

  /** Stops a job's run, if it is here. */
  abort(id: string): void {
    this.#runs.get(id)?.controller.abort();
  }

  /** Starts no more jobs, gives those that run `drainMs`, and gives back what has not ended by then. */
  async close(drainMs: number): Promise<void> {
    this.#state = 'draining';
    if (drainMs > 0) await Promise.race([Promise.all(this.#work), later(drainMs)]);
    this.#state = 'closed';
    for (const { controller } of this.#runs.values()) controller.abort();
    await Promise.all(this.#work);
    this.#throttle.close();
  }

  async #use(ticket: string, line: Line): Promise<void> {
    const { store, onMoved } = this.#options;
    if (this.#state !== 'open') return;
    const nonce = randomUUID();
    const taken = await this.#insist(() => store.take(ticket, line, nonce));
    if (!taken) return;
    onMoved();
    if (taken.outcome === 'ended') await this.#giveUp(taken.job);
    else await this.#run(taken);
  }

  /** Of a job that its servers stopped too often: nobody runs it, so nobody else tells. */
  async #giveUp(job: Job): Promise<void> {
    logInterrupted(job, new JobInterruptedError(MAX_RESTARTS + 1), this.#options.logger);
    await this.#options.onSettled(job);
  }

  async #run({ job, run, crashes, restarts }: RecordedJob): Promise<void> {
    const { handler, files, logger } = this.#options;
    const controller = new AbortController();
    const mine: OwnRun = { job, run, crashes, restarts, controller, attempt: job.attempt };
    this.#runs.set(job.id, mine);
    if (this.#state === 'closed') controller.abort();
    try {
      const outcome = await runJob(mine, {
        handler,
        files,
        logger,
        signal: controller.signal,
        change: (change) => {
          mine.job = { ...mine.job, ...change };
          if (!controller.signal.aborted) this.#throttle.changed(job.id);
        },
        store: () => this.#begin(mine),
      });
      this.#throttle.drop(job.id);
      await this.#options.ending(job.id, () => this.#conclude(mine, outcome));
    } finally {
      this.#throttle.drop(job.id);
      this.#runs.delete(job.id);
    }
  }

  async #begin(mine: OwnRun): Promise<void> {
    const { id, attempt } = mine.job;
    const name = { id, run: mine.run };
    const startedAt = await this.#insist(() => this.#options.store.begin(name, mine.crashes, attempt));
    if (startedAt === undefined) mine.controller.abort();
    mine.controller.signal.throwIfAborted();
    mine.attempt = attempt;
    mine.job = { ...mine.job, ...(startedAt !== undefined && { startedAt }) };
  }

  /** Stores the end of a run, unless the job has gone on without it. */
  async #conclude(mine: OwnRun, outcome: JobOutcome): Promise<void> {
    const { store, onInterrupted, onSettled } = this.#options;
    const name = { id: mine.job.id, run: mine.run };
    if (this.#state === 'closed' && outcome.status !== 'completed') {
      const released = await this.#insist(() => store.release(name));
      if (released.outcome === 'queued') onInterrupted(mine.job);
      else if (released.outcome === 'ended') await this.#giveUp(released.job);
      else await this.#leave(mine, released.job);
      return;
    }
    const ended = await this.#insist(() => store.end(name, outcome));
    if (ended && ended.outcome !== 'lost') await onSettled(ended.job);
    else await this.#leave(mine, ended?.job);
  }

  /** Removes what a run made that does not count. */
  async #leave(mine: OwnRun, now: Job | undefined): Promise<void> {
    const { files, logger } = this.#options;
    const isOver = now === undefined || (hasEnded(now.status) && now.status !== 'completed');
    const own = { id: mine.job.id, attempt: mine.attempt };
    await (isOver ? files.removeResults(own) : files.removeAttempt(own));
    logger.info('a run was given up', { job_id: own.id, attempt: own.attempt, status: now?.status });
  }

  async #report(id: string): Promise<void> {
    const mine = this.#runs.get(id);
    if (!mine) return;
    try {
      if (!(await this.#options.store.report({ id, run: mine.run }, mine.job))) mine.controller.abort();
    } catch (error) {
      // What comes next is told by whoever can be asked then; the end is stored in any case.
      this.#options.logger.debug('progress could not be told', { job_id: id, error });
    }
  }

  /** A Redis that is away is asked until it is back; the run may have been given to another server by then. */
  async #insist<T>(step: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await step();
      } catch (error) {
        if (!(error instanceof StoreUnavailableError) || this.#state === 'closed') throw error;
        await later(STORE_RETRY_MS);
      }
    }
  }
}

function later(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
