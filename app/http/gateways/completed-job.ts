import type { Response } from 'express';
import type { Job, JobError, Submission } from '../../jobs/job.ts';
import { hasEnded } from '../../jobs/job.ts';
import { disconnection } from '../answer-job.ts';
import type { RouteContext } from '../routes/route-context.ts';

/** How a client is told of a job that has no result. */
export type SendFailure = (response: Response, error: JobError) => void;

/**
 * Waits for a job whose client knows nothing of jobs, and hands it over when it has completed; any other end is told by `fail`.
 * A client that goes away has its job cancelled.
 */
export async function whenCompleted(
  { awaited, files }: Pick<RouteContext, 'awaited' | 'files'>,
  { job: accepted }: Submission,
  response: Response,
  { send, fail }: { readonly send: (job: Job) => Promise<void>; readonly fail: SendFailure },
): Promise<void> {
  response.set('X-Job-Id', accepted.id);
  const job = await awaited.wait(accepted.id, { signal: disconnection(response.req, response), waitMs: undefined });
  if (job?.status === 'completed') await files.reading(job, () => send(job));
  else if (job) fail(response, failureOf(job));
}

/** Why a job has no result. */
export function failureOf({ id, status, error }: Job): JobError {
  if (error) return error;
  if (hasEnded(status)) return { code: 'ERR_CANCELLED', message: `Job ${id} was cancelled` };
  return { code: 'ERR_NOT_READY', message: `The service is stopping; job ${id} goes on when it has started again` };
}
