import type { Request, Response } from 'express';
import type { Job, Submission } from '../jobs/job.ts';
import { hasEnded } from '../jobs/job.ts';
import type { AwaitedJobs } from './awaited-jobs.ts';
import { parsePrefer } from './prefer.ts';
import { sendProblem } from './problem.ts';

/**
 * Answers the request that submitted a job: with its result when it is done, or by 202 and where to ask, as `Prefer` says.
 * A job that failed is answered as the problem that it failed by. `sendResult` is called for a completed job.
 */
export async function answerJob(
  awaited: AwaitedJobs,
  { job: accepted, isReplay }: Submission,
  response: Response,
  sendResult: (job: Job) => unknown,
): Promise<void> {
  const { waitMs, applied } = parsePrefer(response.req.get('Prefer'));
  if (applied) response.set('Preference-Applied', applied);
  if (waitMs === 0) {
    answerAccepted(awaited, { job: accepted, isReplay }, response);
    return;
  }
  response.set('X-Job-Id', accepted.id);
  if (isReplay) response.set('Idempotent-Replayed', 'true');
  const job = await awaited.wait(accepted.id, { signal: disconnection(response.req, response), waitMs });
  if (!job) return;
  if (job.status === 'completed') await sendResult(job);
  else if (job.error) sendProblem(response, job.error);
  else if (hasEnded(job.status))
    sendProblem(response, { code: 'ERR_CANCELLED', message: `Job ${job.id} was cancelled` });
  else sendAccepted(response, job);
}

/** Answers the request that submitted a job by 202 and where to ask, whatever `Prefer` says. */
export function answerAccepted(awaited: AwaitedJobs, { job, isReplay }: Submission, response: Response): void {
  response.set('X-Job-Id', job.id);
  if (isReplay) response.set('Idempotent-Replayed', 'true');
  if (!hasEnded(job.status)) awaited.keep(job.id);
  sendAccepted(response, job);
}

/** Answers that a job was accepted, and where to ask for it. */
function sendAccepted(response: Response, job: Job): void {
  response
    .status(202)
    .location(`/jobs/${job.id}`)
    .json({ job_id: job.id, status: job.status, queue_position: job.queuePosition });
}

/** Aborts when the caller goes away before it has its answer. */
export function disconnection(request: Request, response: Response): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort();
  });
  if (request.socket.destroyed) gone.abort();
  return gone.signal;
}
