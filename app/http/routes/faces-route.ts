import { readFile } from 'node:fs/promises';
import type { Response } from 'express';
import { Router } from 'express';
import { z } from 'zod';
import type { Job } from '../../jobs/job.ts';
import { findFacesOptions } from '../../options/find-faces-options.ts';
import { answerJob } from '../answer-job.ts';
import { jobWarnings } from '../result-headers.ts';
import { imageMethod, submitImages } from './image-route.ts';
import type { RouteContext } from './route-context.ts';

export const facesMethod = imageMethod({
  method: 'faces',
  form: findFacesOptions,
  workOf: (options) => ({ kind: 'find-faces', options }),
});

/** The file that a worker writes. */
const found = z.object({ faces: z.array(z.unknown()) });

/** `POST /faces` takes one image and answers with the faces that `POST /face` would restore. */
export function facesRoute(context: RouteContext): Router {
  const { awaited, files } = context;
  return Router().post('/faces', async (request, response) => {
    const submission = await submitImages(context, { request, response, mostFiles: 1, read: facesMethod.read });
    await answerJob(awaited, submission, response, (job) => files.reading(job, () => sendFaces(response, job)));
  });
}

async function sendFaces(response: Response, job: Job): Promise<void> {
  const [result] = job.results;
  if (!result) throw new Error(`Job ${job.id} completed without a result`);
  const { faces } = found.parse(JSON.parse(await readFile(result.file, 'utf8')));
  const info = { job_id: job.id, ...result.info, warnings: jobWarnings(job, result) };
  response.status(200).set('ETag', `"${result.sha256}"`).json({ faces, info });
}
