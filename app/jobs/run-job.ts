import { HiresFixError, INTERNAL_ERROR } from '../errors.ts';
import { isDiskFault } from '../files/disk-room.ts';
import type { Logger } from '../logger.ts';
import { TaskFailedError, WorkerCrashedError } from '../worker/errors.ts';
import { failureOf as workerFailureOf } from '../worker/failure-of.ts';
import type { JobInterruptedError } from './errors.ts';
import type { EndStatus, ImageFailure, Job, JobError, JobHandler, JobResult } from './job.ts';
import type { JobFiles } from './job-files.ts';
import { finalProgress } from './job.ts';
import { steadyNow } from './job-times.ts';
import { MAX_CRASHES } from './job-queue.ts';

/** How a job ends, and what changes with it. */
export type JobOutcome = { readonly status: EndStatus } & Partial<Job>;

/** A job that runs; `job` is replaced from outside as it changes. */
export interface RunningJob {
  readonly job: Job;
  crashes: number;
  readonly restarts: number;
}

export interface JobRun {
  readonly handler: JobHandler;
  readonly files: JobFiles;
  readonly logger: Logger;
  /** Aborts when nobody wants the job any more, or its server stops. */
  readonly signal: AbortSignal;
  readonly change: (change: Partial<Job>) => void;
  /** Stores the job as it stands; throws, and aborts the run, where that is another server's by now. */
  readonly store: () => Promise<void>;
}

/**
 * Runs a job, again after each death of its worker, until it has its results on the disk or has failed. That it starts is
 * stored first: whoever finds it after a crash knows that it ran, and no two attempts have the same number. Never rejects.
 */
export async function runJob(running: RunningJob, run: JobRun): Promise<JobOutcome> {
  for (;;) {
    try {
      return await runAttempt(running, run);
    } catch (error) {
      if (run.signal.aborted) return { status: 'failed', error: INTERNAL_ERROR }; // nobody will hear of it
      const mayRetry = error instanceof WorkerCrashedError && mayCrashAgain(running);
      if (!mayRetry) return { status: 'failed', error: failureOf(error, running.job, run) };
      running.crashes++;
      run.logger.warn('the worker of a job died', { job_id: running.job.id, crashes: running.crashes, error });
    }
  }
}

async function runAttempt(
  running: RunningJob,
  { handler, files, signal, change, store, logger }: JobRun,
): Promise<JobOutcome> {
  const number = running.crashes + running.restarts + 1;
  change({
    status: 'processing',
    queuePosition: 0,
    startedAt: Date.now(),
    ...steadyNow(running.job, 'started'),
    attempt: number,
    failures: [],
  });
  await store();
  signal.throwIfAborted();
  // Only now: a server that has lost the job to another has failed above, and must not touch the other's files.
  await files.removeEarlierResults(running.job);
  await files.bringInputs(running.job);
  signal.throwIfAborted(); // it may have been cancelled meanwhile, and a handler listens for what comes
  const failures: ImageFailure[] = [];
  const results = await handler(running.job, {
    signal,
    mayRetry: mayCrashAgain(running),
    onProgress: (progress) => {
      // A second attempt begins at 0 again; the job does not go back. 1 is for a job whose results can be fetched.
      const reached = Math.max(running.job.progress.progress, Math.min(progress.progress, 0.999));
      change({ progress: { ...progress, progress: reached } });
    },
    onImageFailed: (failure, cause) => {
      failures.push(failure);
      const { code, index } = failure;
      logger.warn('an image of a job failed', { ...idsOf(running.job), index, code, error: cause });
      change({ failures: [...failures] });
    },
  });
  await files.syncResults(running.job, results);
  logFallbacks(running.job.id, results, logger);
  return completed(running.job, results, failures);
}

/** The result tells its caller of fallbacks; the log tells the operator. */
function logFallbacks(jobId: string, results: readonly JobResult[], logger: Logger): void {
  for (const { index, info } of results) {
    for (const fallback of info.fallbacks)
      logger.warn('an image of a job fell back', { job_id: jobId, index, ...fallback });
  }
}

function mayCrashAgain({ crashes }: RunningJob): boolean {
  return crashes + 1 < MAX_CRASHES;
}

function completed(job: Job, results: readonly JobResult[], failures: readonly ImageFailure[]): JobOutcome {
  return { status: 'completed', results, failures, progress: finalProgress(job) };
}

/** Tells the log of a job that failed without having run again: its server stopped too often. */
export function logInterrupted(job: Job, error: JobInterruptedError, logger: Logger): void {
  logger.warn('job failed', { ...idsOf(job), code: error.code, error });
}

/** By what a job is found again: in the log, at its caller's, and in the line of the request that it came by. */
function idsOf({ id, caller, requestId }: Job): Readonly<Record<string, string | undefined>> {
  return { job_id: id, caller, request_id: requestId };
}

/** What a caller is told of an error. The log gets all of it: its cause, where it came from, and whose job it was. */
function failureOf(error: unknown, job: Job, { files, logger }: JobRun): JobError {
  // What the server itself could not write, such as the folder of the results, is told as if a worker could not.
  const told = isDiskFault(error) ? new TaskFailedError(workerFailureOf(error)) : error;
  // A worker reports what it did not foresee as internal.
  const isForeseen = told instanceof HiresFixError && told.code !== INTERNAL_ERROR.code;
  const failure = isForeseen ? { code: told.code, message: files.withoutPaths(told.message) } : INTERNAL_ERROR;
  logger[isForeseen ? 'warn' : 'error']('job failed', { ...idsOf(job), code: failure.code, error });
  return failure;
}
