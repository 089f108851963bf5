import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import { Router } from 'express';
import type { z } from 'zod';
import type { Job, JobMethod, JobRequest, JobWork, Submission } from '../../jobs/job.ts';
import { newJobId } from '../../jobs/job.ts';
import { outputOptions } from '../../options/output-options.ts';
import { answerJob } from '../answer-job.ts';
import { callerOf } from '../caller.ts';
import type { Fields } from '../fields.ts';
import { parseParameters } from '../fields.ts';
import { admissionOf, idempotency, idempotencyKeyOf } from '../idempotency-key.ts';
import { setResultHeaders } from '../result-headers.ts';
import { receiveImages } from '../receiving/upload.ts';
import { webhookOf } from '../webhook-field.ts';
import type { RouteContext } from './route-context.ts';

/** What can be done with an image, and the fields by which it is asked. */
export interface ImageMethod {
  readonly method: JobMethod;
  /** The fields of the form, with those of the result. */
  readonly form: z.ZodObject;
  /** What a request's fields ask for. @throws BadFieldError */
  readonly read: (fields: Fields) => AskedWork;
}

/** What is to be done, and what of the request is not known here. */
export interface AskedWork extends Pick<JobRequest, 'method' | 'work' | 'output'> {
  readonly warnings: readonly string[];
}

/** @param method.workOf what is to be done, from the fields as the form has read them */
export function imageMethod<S extends z.ZodObject>({
  method,
  form,
  workOf,
}: {
  readonly method: JobMethod;
  readonly form: S;
  readonly workOf: (values: z.output<S>) => JobWork;
}): ImageMethod {
  return {
    method,
    form,
    read: (fields) => {
      const { values, warnings } = parseParameters(form, fields.entries());
      return { method, work: workOf(values), output: outputOptions.parse(values), warnings };
    },
  };
}

/** `POST /{method}` takes one image and answers with what was made of it, now or, as `Prefer` says, later. */
export function imageRoute(context: RouteContext, { method, read }: ImageMethod): Router {
  const { awaited, files } = context;
  return Router().post(`/${method}`, async (request, response) => {
    const submission = await submitImages(context, { request, response, mostFiles: 1, read });
    await answerJob(awaited, submission, response, (job) => files.reading(job, () => sendImage(response, job)));
  });
}

/** Takes the images of a request as one job; nothing is left of a request that is refused. */
export async function submitImages(
  { config, queue, files }: Pick<RouteContext, 'config' | 'queue' | 'files'>,
  { request, response, mostFiles, read }: ImagesRequest,
): Promise<Submission> {
  const key = idempotencyKeyOf(request);
  const caller = callerOf(response);
  await queue.admit(admissionOf(caller, key));
  const id = newJobId();
  const { images, fields } = await receiveImages(request, response, {
    file: (index) => files.input(id, index),
    maxBytes: config.maxFileSizeBytes,
    mostFiles,
  });
  const { warnings, ...asked } = await asPromise(() => ({
    ...webhookOf(fields.take('webhook_url'), config),
    ...read(fields),
  })).catch(async (error: unknown) => {
    await files.removeInputs({ inputs: images });
    throw error;
  });
  const digests = images.map(({ sha256 }) => sha256);
  return queue.submit({
    ...asked,
    id,
    caller,
    inputs: images,
    warnings,
    ...(key !== undefined && { idempotency: idempotency(key, { ...asked, images: digests }) }),
  });
}

interface ImagesRequest {
  readonly request: Request;
  readonly response: Response;
  readonly mostFiles: number;
  readonly read: ImageMethod['read'];
}

function asPromise<T>(read: () => T): Promise<T> {
  return new Promise((resolve) => resolve(read()));
}

async function sendImage(response: Response, job: Job): Promise<void> {
  const [result] = job.results;
  if (!result) throw new Error(`Job ${job.id} completed without a result`);
  const file = await open(result.file);
  setResultHeaders(response, job, result);
  response.status(200).set('Content-Length', String(result.bytes));
  await pipeline(file.createReadStream(), response);
}
