import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { Response } from 'express';
import { Router } from 'express';
import type { z } from 'zod';
import type { Job, JobMethod, JobWork } from '../../jobs/job.ts';
import { newJobId } from '../../jobs/job.ts';
import { outputOptions } from '../../processing/upscale-options.ts';
import { answerJob } from '../answer-job.ts';
import { callerOf } from '../caller.ts';
import { admissionOf, idempotency, idempotencyKeyOf } from '../idempotency-key.ts';
import { setResultHeaders } from '../result-headers.ts';
import { receiveUpload } from '../upload.ts';
import type { RouteContext } from './route-context.ts';

/** What `POST /{method}` does with an image. */
export interface ImageMethod<S extends z.ZodObject> {
  readonly method: JobMethod;
  /** The fields of the form, with those of the result. */
  readonly form: S;
  /** What is to be done, from the fields as the form has read them. */
  readonly workOf: (values: z.output<S>) => JobWork;
}

/** `POST /{method}` takes one image and answers with what was made of it, now or, as `Prefer` says, later. */
export function imageRoute<S extends z.ZodObject>(
  { config, queue, files, awaited }: RouteContext,
  { method, form, workOf }: ImageMethod<S>,
): Router {
  return Router().post(`/${method}`, async (request, response) => {
    const key = idempotencyKeyOf(request);
    const caller = callerOf(response);
    await queue.admit(admissionOf(caller, key));
    const id = newJobId();
    const upload = await receiveUpload(request, response, {
      file: files.input(id, 0),
      maxBytes: config.maxFileSizeBytes,
      schema: form,
    });
    const asked = { method, work: workOf(upload.values), output: outputOptions.parse(upload.values) };
    const submission = await queue.submit({
      ...asked,
      id,
      caller,
      inputs: [{ file: upload.file, name: upload.name, sha256: upload.sha256 }],
      warnings: upload.warnings,
      ...(key !== undefined && { idempotency: idempotency(key, { ...asked, images: [upload.sha256] }) }),
    });
    await answerJob(awaited, submission, response, (job) => files.reading(job, () => sendImage(response, job)));
  });
}

async function sendImage(response: Response, job: Job): Promise<void> {
  const [result] = job.results;
  if (!result) throw new Error(`Job ${job.id} completed without a result`);
  const file = await open(result.file);
  setResultHeaders(response, job, result);
  response.status(200).set('Content-Length', String(result.bytes));
  await pipeline(file.createReadStream(), response);
}
