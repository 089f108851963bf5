import type { Response } from 'express';
import { Router } from 'express';
import { z } from 'zod';
import { JobNotCompletedError, ResultNotFoundError } from '../../jobs/errors.ts';
import type { Job, JobResult } from '../../jobs/job.ts';
import { hasEnded } from '../../jobs/job.ts';
import { ownJob } from '../../jobs/own-job.ts';
import { jobView, processedName } from '../../jobs/job-view.ts';
import { text, whole } from '../../options/values.ts';
import { callerOf } from '../caller.ts';
import { RouteNotFoundError } from '../errors.ts';
import { Fields, parseParameters } from '../fields.ts';
import { setWarnings } from '../result-headers.ts';
import { sendArchive } from '../results-archive.ts';
import { partOf, partQuery } from '../result-part.ts';
import { sendPart } from './send-part.ts';
import { sendResult } from './send-result.ts';
import { sendSketch } from './send-sketch.ts';
import type { RouteContext } from './route-context.ts';

const MAX_PAGE = 100;

export const jobsPage = z.object({
  limit: whole(1, MAX_PAGE).default(20).describe('Jobs per page'),
  cursor: text(64).optional().describe('`next_cursor` of the previous page'),
});

/** `/jobs`, `/status/{id}` and `/processed/{name}`: how the caller's jobs stand, their results, and ending them: one that runs is cancelled, one that has ended is removed. */
export function jobsRoute({ queue, files }: Pick<RouteContext, 'queue' | 'files'>): Router {
  const own = (id: string, response: Response): Promise<Job> => ownJob(queue, id, callerOf(response));
  return Router()
    .get('/jobs', async (request, response) => {
      const { values, warnings } = parseParameters(jobsPage, Fields.ofQuery(request.query).entries());
      const { limit, cursor } = values;
      const caller = callerOf(response);
      const after = cursor === undefined ? undefined : (await own(cursor, response)).id;
      const { jobs, next } = await queue.list({ limit, caller, ...(after !== undefined && { after }) });
      setWarnings(response, warnings);
      response.json({ jobs: jobs.map(jobView), next_cursor: next ?? null });
    })
    .get('/jobs/:id', async (request, response) => {
      response.json(jobView(await own(request.params.id, response)));
    })
    .delete('/jobs/:id', async (request, response) => {
      const { id, status } = await own(request.params.id, response);
      if (hasEnded(status)) {
        await queue.remove(id);
        response.status(204).end();
      } else response.json(jobView(await queue.cancel(id)));
    })
    .get('/jobs/:id/results.zip', async (request, response) => {
      const job = await own(request.params.id, response);
      if (job.status !== 'completed') throw new JobNotCompletedError(job.id, job.status);
      response.set('X-Job-Id', job.id);
      await files.reading(job, () => sendArchive(response, [{ job, folder: '' }], `${job.id}.zip`));
    })
    .get('/jobs/:id/results/:number', async (request, response) => {
      const { id, number } = request.params;
      const job = await own(id, response);
      const result = resultOf(job, number);
      const { values, warnings } = parseParameters(partQuery, Fields.ofQuery(request.query).entries());
      const part = result.info.format === 'json' ? undefined : partOf(result.info.output, values);
      await files.reading({ ...job, results: [result] }, () =>
        part ? sendPart(response, { job, result, part, warnings }) : sendResult(response, job, result, warnings),
      );
    })
    .get('/jobs/:id/sketch/:number', async (request, response) => {
      const job = await own(request.params.id, response);
      await sendSketch(response, files.sketch(job, indexIn(job, request.params.number)));
    })
    .get('/processed/:name', async (request, response) => {
      const [, id, number] = /^([0-9a-f]{32})-(\d{1,4})\.\w+$/.exec(request.params.name) ?? [];
      if (id === undefined || number === undefined) throw new RouteNotFoundError('GET', request.path);
      const job = await own(id, response);
      const result = resultOf(job, number);
      if (processedName(job, result) !== request.params.name) throw new RouteNotFoundError('GET', request.path);
      await files.reading({ ...job, results: [result] }, () => sendResult(response, job, result));
    })
    .get('/status/:id', async (request, response) => {
      const { status, queue_position, progress, results, error } = jobView(await own(request.params.id, response));
      const listed = results.map(({ original_filename, url }) => ({ original_filename, url }));
      response.json({ status, queue_position, progress, results: listed, error });
    });
}

function resultOf(job: Job, number: string): JobResult {
  if (job.status !== 'completed') throw new JobNotCompletedError(job.id, job.status);
  const index = indexIn(job, number);
  const result = job.results.find((one) => one.index === index);
  if (result) return result;
  const failure = job.failures.find((one) => one.index === index);
  throw new ResultNotFoundError(job.id, number, failure ? `the image failed: ${failure.message}` : 'it has no result');
}

/** @throws ResultNotFoundError for what is no number of one of the job's images */
function indexIn({ id, inputs }: Job, number: string): number {
  const index = /^\d{1,4}$/.test(number) ? Number(number) : -1;
  if (index >= 0 && index < inputs.length) return index;
  throw new ResultNotFoundError(id, number, `its results are numbered 0 to ${inputs.length - 1}`);
}
