import { Router } from 'express';
import type { Response } from 'express';
import type { ModelCatalog } from '../../catalog/model-catalog.ts';
import type { Config } from '../../config.ts';
import { JobNotCompletedError, ResultNotFoundError } from '../../jobs/errors.ts';
import type { Job } from '../../jobs/job.ts';
import { ownJob } from '../../jobs/own-job.ts';
import { METHODS } from '../../options/methods.ts';
import { outputOptions } from '../../options/output-options.ts';
import { PIL_UPSCALERS, NETWORK_UPSCALERS } from '../../processing/upscale/upscalers.ts';
import { disconnection } from '../answer-job.ts';
import { callerOf } from '../caller.ts';
import type { Fields } from '../fields.ts';
import { parseParameters } from '../fields.ts';
import { sendProblem } from '../problem.ts';
import { sendImage, submitImages } from '../routes/image-routes.ts';
import { sendResult } from '../routes/send-result.ts';
import type { RouteContext } from '../routes/route-context.ts';
import type { AskedWork } from '../submit-job.ts';
import { failureOf, whenCompleted } from './completed-job.ts';

/** Progress is told in steps of this many, whatever the number of tiles: that is known only when the work has begun. */
const STEPS = 100;

/**
 * What the remote-upscale nodes of ComfyUI ask for, below `/comfy`: `models` as names, `upscale` answered by a PNG, `upscale_stream`
 * answered by events and then `result/{id}`, and `health`.
 */
export function comfyRoute(context: RouteContext): Router {
  const { catalog, config, queue, files } = context;
  const read = (fields: Fields): AskedWork => {
    const { values, warnings } = parseParameters(METHODS.upscale.form, fields.entries());
    const work = METHODS.upscale.workOf(values, config);
    return { method: 'upscale', work, output: outputOptions.parse({ ...values, output_format: 'png' }), warnings };
  };
  return Router()
    .get('/comfy/models', async (_request, response) => {
      response.json({ models: await upscalerNames(catalog, config), path: 'models' });
    })
    .get('/comfy/health', (_request, response) => {
      response.json({ status: 'ok' });
    })
    .post('/comfy/upscale', async (request, response) => {
      const submission = await submitImages(context, { request, response, mostFiles: 1, read });
      const send = (job: Job): Promise<void> => sendImage(response, job);
      await whenCompleted(context, submission, response, { send, fail: sendProblem });
    })
    .post('/comfy/upscale_stream', async (request, response) => {
      const { job } = await submitImages(context, { request, response, mostFiles: 1, read });
      await streamProgress(context, job, response);
    })
    .get('/comfy/result/:id', async (request, response) => {
      const job = await ownJob(queue, request.params.id, callerOf(response));
      if (job.status !== 'completed') throw new JobNotCompletedError(job.id, job.status);
      const [result] = job.results;
      if (!result) throw new ResultNotFoundError(job.id, '0', 'its image failed');
      await files.reading(job, () => sendResult(response, job, result));
    });
}

/** The names that an upscale takes and that can be had now, networks first. */
async function upscalerNames(
  catalog: Pick<ModelCatalog, 'list'>,
  { modelDownloads }: Pick<Config, 'modelDownloads'>,
): Promise<readonly string[]> {
  const entries = await catalog.list();
  const canBeHad = (name: string): boolean =>
    entries.some((entry) => entry.name === name && (entry.isInstalled || modelDownloads));
  const known = [...NETWORK_UPSCALERS].flatMap(([type, { model }]) => (canBeHad(model) ? [type] : []));
  const own = entries.filter(({ isAskedByName, isInstalled }) => isAskedByName && isInstalled);
  return [...known, ...own.map(({ name }) => name), ...PIL_UPSCALERS];
}

/** Tells a job's progress as events without names until its end. The job of a caller that goes away is cancelled, unless others want it too. */
async function streamProgress(
  { queue, awaited }: Pick<RouteContext, 'queue' | 'awaited'>,
  accepted: Job,
  response: Response,
): Promise<void> {
  const { id } = accepted;
  response.set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' });
  response.set('X-Job-Id', id).flushHeaders();
  const write = (data: object): void => void response.write(`data: ${JSON.stringify(data)}\n\n`);
  const follow = (job: Job): void => {
    if (job.id === id) write({ progress: Math.floor(job.progress.progress * STEPS), total: STEPS });
  };
  follow(accepted);
  queue.events.on('progress', follow);
  const waiting = awaited.wait(id, { signal: disconnection(response.req, response), waitMs: undefined });
  const job = await waiting.finally(() => queue.events.off('progress', follow));
  if (!job) return;
  follow(job);
  write(job.status === 'completed' ? { status: 'done', result_id: id } : { status: 'error', ...errorOf(job) });
  response.end();
}

function errorOf(job: Job): { readonly error: string; readonly code: string } {
  const { message, code } = failureOf(job);
  return { error: message, code };
}
