import type { Job, JobHandler, JobPage, JobRequest, Submission } from './job.ts';
import type { JobEvents } from './job-events.ts';

/** A caller's own name for a request. Two callers may use the same key for different requests. */
export interface CallerKey {
  readonly caller: string;
  readonly key: string;
}

/** Jobs by status, of all callers. */
export interface JobCounts {
  readonly queued: number;
  readonly processing: number;
}

/** Who asks for a place in the queue, and by which key, if any. */
export interface Admission {
  readonly caller: string;
  readonly idempotencyKey?: string;
}

/**
 * Where jobs wait, run and end. The contract is about jobs, not about where they are kept: no file, connection or lock shows.
 *
 * What every implementation promises (test/contract/job-queue.contract.ts holds them to it):
 * - A job that `submit` answered survives the death of any process: it is found again, and reaches one of `completed`,
 *   `failed` and `cancelled`. It reaches exactly one, stays there, and one event of that name is emitted.
 * - A job may run more than once, but its results are committed once, whole, and on disk before anyone is told.
 * - Jobs of one caller start in the order they were accepted; callers take turns.
 * - A job whose worker dies `MAX_CRASHES` times while the server lives fails; what stopped with a server runs again.
 *
 * Deliberately not part of it: what a job does (`JobHandler`), who may see one (the routes ask), when results expire (the
 * janitor decides), and how many servers there are.
 */
export interface JobQueue {
  /** What happens to jobs, whichever server runs them. */
  readonly events: JobEvents;
  /** Whether jobs are taken at the moment: after `start`, until `close`, while the store can be written. */
  readonly isAccepting: boolean;

  /**
   * Recovers what earlier servers left, then takes jobs and runs them by `handler`. Before that, every question about jobs
   * throws `NotAcceptingError`: that a job is not known yet does not mean that it is not there.
   */
  start(handler: JobHandler): Promise<void>;

  /**
   * Throws what `submit` would throw by the state of the queue alone (`NotAcceptingError`, `QueueFullError`,
   * `CallerQueueFullError`), so that a request is refused before its body is read. A key that names a job passes.
   */
  admit(admission: Admission): Promise<void>;

  /**
   * Takes a job over with its input files, durably: when this returns, neither is lost by a crash or a power cut. A request
   * that is refused, or that its key has brought before, has its files removed. Throws what `admit` throws,
   * `IdempotencyKeyReusedError`, `StoreUnavailableError`.
   */
  submit(request: JobRequest): Promise<Submission>;

  /** The job as it stands. @throws JobNotFoundError */
  get(id: string): Promise<Job>;

  /** The job that a caller's key names; a key lives as long as its job, and no longer than it may still succeed. */
  findByKey(key: CallerKey): Promise<Job | undefined>;

  /** How many wait, and how many run. */
  counts(): Promise<JobCounts>;

  /** Newest first, of all callers or of one; `after` is the `next` of the page before. */
  list(page: { readonly limit: number; readonly after?: string; readonly caller?: string }): Promise<JobPage>;

  /** Ends a job durably; where it runs, its process is stopped. @throws JobNotFoundError, JobFinishedError */
  cancel(id: string): Promise<Job>;

  /**
   * Forgets a job that has ended, then removes its results, and tells so by `removed` on the server that was asked. Whoever has a
   * result open reads it to its end. @throws JobNotFoundError, JobNotEndedError
   */
  remove(id: string): Promise<void>;

  /**
   * Forgets jobs that ended longer ago than `ageMs`, then removes their results; but for those being read. Of what this server saw
   * end, or found ended when it started, no clock that is set changes the age.
   */
  expire(ageMs: number): Promise<number>;

  /**
   * Takes no more jobs and gives those that run `drainMs`. What has not ended by then stays accepted, and goes on at the next
   * `start`; each of them is told by `interrupted`.
   */
  close(drainMs?: number): Promise<void>;
}

/** How many jobs may wait. */
export interface PlaceLimits {
  readonly maxQueue: number;
  /** Of one caller; as many as of all where it is not set. */
  readonly maxQueuePerCaller?: number | undefined;
}

/** Downloads that run at once, beside the jobs that have the workers to themselves. */
export const MAX_DOWNLOADS = 2;
/** Waiting jobs that are told of every step forward; those behind them are told when they come nearer. */
export const MAX_TOLD_POSITIONS = 100;
/** Workers that may die over one job before it fails. */
export const MAX_CRASHES = 3;
/** Servers that may stop while one job runs before it fails. */
export const MAX_RESTARTS = 10;
/** Ended jobs that are kept at most, whatever their time; the oldest go first. */
export const KEPT_JOBS = 10_000;
