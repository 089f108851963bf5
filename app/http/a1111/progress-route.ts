import type { Response } from 'express';
import { Router } from 'express';
import { z } from 'zod';
import { JobFinishedError, JobNotFoundError } from '../../jobs/errors.ts';
import type { Job } from '../../jobs/job.ts';
import { hasEnded } from '../../jobs/job.ts';
import type { JobQueue } from '../../jobs/job-queue.ts';
import { callerOf } from '../caller.ts';
import { parseParameters } from '../fields.ts';
import { receiveJson } from '../receiving/json-body.ts';
import { sendJson } from './process-time.ts';

const MAX_BODY_BYTES = 65_536;
const PAGE = 100;
/** More wait in no queue; what is older has ended. */
const MOST_PAGES = 3;
/** A task that runs is never told as 0, which clients take for none. */
const LEAST_PROGRESS = 0.01;

export const internalProgressBody = z.object({
  id_task: z
    .string()
    .default('')
    .describe("A request's force_task_id, Idempotency-Key or X-Job-Id; empty: the running task"),
  id_live_preview: z.number().default(-1),
  live_preview: z.boolean().default(true),
});

type Queue = Pick<JobQueue, 'cancel' | 'findByKey' | 'get' | 'list'>;

/**
 * How far the caller's work has come, and ending it. The WebUI works on one thing at a time, and so do its clients: what is told and
 * interrupted is the caller's extras that run, else those that are next. Its other jobs are not touched.
 */
export function progressRoute(queue: Queue): Router {
  return Router()
    .get('/sdapi/v1/progress', async (_request, response) => {
      const job = await currentJob(queue, callerOf(response));
      sendJson(response, progressOf(job));
    })
    .post('/internal/progress', async (request, response) => {
      const body = await receiveJson(request, response, { what: 'The body', maxBytes: MAX_BODY_BYTES });
      const { id_task: id, id_live_preview: preview } = parseParameters(
        internalProgressBody,
        Object.entries(body ?? {}),
      ).values;
      const caller = callerOf(response);
      const job = id === '' ? await currentJob(queue, caller) : await taskOf(queue, id, caller);
      sendJson(response, taskProgress(job, preview));
    })
    .post('/sdapi/v1/interrupt', async (_request, response) => {
      await cancelCurrent(queue, response, () => true);
      sendJson(response, {});
    })
    .post('/sdapi/v1/skip', async (_request, response) => {
      // Of several pictures the WebUI leaves one out; a job cannot, and ending it would lose the others.
      await cancelCurrent(queue, response, ({ inputs }) => inputs.length === 1);
      sendJson(response, null);
    });
}

async function cancelCurrent(queue: Queue, response: Response, may: (job: Job) => boolean): Promise<void> {
  const job = await currentJob(queue, callerOf(response));
  if (!job || !may(job)) return;
  try {
    await queue.cancel(job.id);
  } catch (error) {
    if (!(error instanceof JobFinishedError || error instanceof JobNotFoundError)) throw error;
  }
}

/** The caller's extras that run; else the oldest that wait. */
async function currentJob(queue: Queue, caller: string): Promise<Job | undefined> {
  const live: Job[] = [];
  let after: string | undefined;
  for (let page = 0; page < MOST_PAGES; page++) {
    const { jobs, next } = await queue.list({ limit: PAGE, caller, ...(after !== undefined && { after }) });
    live.push(...jobs.filter(({ method, status }) => method === 'extras' && !hasEnded(status)));
    if (next === undefined) break;
    after = next;
  }
  return live.find(({ status }) => status === 'processing') ?? live.at(-1);
}

async function taskOf(queue: Queue, id: string, caller: string): Promise<Job | undefined> {
  const named = await queue.findByKey({ caller, key: id });
  if (named) return named;
  try {
    const job = await queue.get(id);
    return job.caller === caller ? job : undefined;
  } catch (error) {
    if (error instanceof JobNotFoundError) return undefined;
    throw error;
  }
}

/** Tiles stand for the steps of a sampler, so that clients that count them have a bar that moves. */
function progressOf(job: Job | undefined): unknown {
  const { progress } = job ?? {};
  const state = {
    skipped: false,
    interrupted: false,
    stopping_generation: false,
    job: job?.id ?? '',
    job_count: job?.inputs.length ?? 0,
    job_timestamp: timestamp(job?.createdAt ?? Date.now()),
    job_no: Math.max(0, (progress?.image ?? 0) - 1),
    sampling_step: progress?.tile ?? 0,
    sampling_steps: progress?.tiles ?? 0,
  };
  return {
    progress: shareOf(job),
    eta_relative: job?.etaSeconds ?? 0,
    state,
    current_image: null,
    textinfo: job ? wordsOf(job) : null,
  };
}

function taskProgress(job: Job | undefined, preview: number): unknown {
  const isActive = job?.status === 'processing';
  return {
    active: isActive,
    queued: job?.status === 'queued',
    completed: job !== undefined && hasEnded(job.status),
    paused: false,
    progress: isActive ? shareOf(job) : null,
    eta: job?.etaSeconds ?? null,
    live_preview: null,
    id_live_preview: preview,
    textinfo: job ? wordsOf(job) : 'Waiting...',
  };
}

function shareOf(job: Job | undefined): number {
  return job?.status === 'processing' ? Math.max(LEAST_PROGRESS, job.progress.progress) : 0;
}

function wordsOf({ status, queuePosition, progress }: Job): string {
  if (status === 'queued') return `In queue: ${queuePosition}`;
  return status === 'processing' ? progress.stage : status;
}

/** `YYYYMMDDhhmmss`, in UTC. */
function timestamp(ms: number): string {
  return new Date(ms).toISOString().replace(/\D/g, '').slice(0, 14);
}
