import { open } from 'node:fs/promises';
import type { Request, Response } from 'express';
import { Router } from 'express';
import type { Job, JobInput, JobWork, Submission } from '../../jobs/job.ts';
import type { ImageMethod, ImageMethodName, MethodDefaults } from '../../options/methods.ts';
import { IMAGE_METHODS } from '../../options/methods.ts';
import { outputOptions } from '../../options/output-options.ts';
import { answerAccepted, answerJob } from '../answer-job.ts';
import type { Fields } from '../fields.ts';
import { parseParameters } from '../fields.ts';
import { receiveImages } from '../receiving/upload.ts';
import { setResultHeaders } from '../result-headers.ts';
import { sendFile } from '../send-file.ts';
import type { AskedWork, JobTicket } from '../submit-job.ts';
import { admittedTicket, assertJobFits, MAX_IMAGES, submitJob, writingFiles } from '../submit-job.ts';
import { webhookOf } from '../webhook-field.ts';
import type { RouteContext } from './route-context.ts';
import { sendFaces } from './send-faces.ts';

/** How a job of one image is answered that has completed. */
const SENDERS: Readonly<
  Record<Exclude<ImageMethod['answer'], 'job'>, (response: Response, job: Job) => Promise<void>>
> = { image: sendImage, faces: sendFaces };

/**
 * `POST /{method}` of every method that takes images: one image, which is answered by what was made of it, now or, as `Prefer`
 * says, later; or several, which are answered by 202 and where to ask.
 */
export function imageRoutes(context: RouteContext): Router {
  const { awaited, config, files } = context;
  const router = Router();
  for (const [name, { answer }] of IMAGE_METHODS) {
    router.post(`/${name}`, async (request, response) => {
      const read = (fields: Fields): AskedWork => askedWork(name, fields, config);
      const mostFiles = answer === 'job' ? MAX_IMAGES : 1;
      const submission = await submitImages(context, { request, response, mostFiles, read });
      if (answer === 'job') {
        answerAccepted(awaited, submission, response);
        return;
      }
      const send = SENDERS[answer];
      return answerJob(awaited, submission, response, (job) => files.reading(job, () => send(response, job)));
    });
  }
  return router;
}

/** What the fields of a method ask for. @throws BadFieldError */
export function askedWork(name: ImageMethodName, fields: Fields, defaults: MethodDefaults): AskedWork {
  const method = IMAGE_METHODS.get(name);
  if (!method) throw new Error(`${name} takes no images`);
  const { values, warnings } = parseParameters(method.form, fields.entries());
  return { method: name, work: method.workOf(values, defaults), output: outputOptions.parse(values), warnings };
}

/** Takes the images of a request as one job; nothing is left of a request that is refused. */
export async function submitImages(
  context: Pick<RouteContext, 'config' | 'queue' | 'files'>,
  asked: ImagesRequest,
): Promise<Submission> {
  return submitReceived(context, await receiveWork(context, asked));
}

/** The images of a request, and what is asked to be done with them. */
export interface ReceivedWork {
  readonly ticket: JobTicket;
  readonly asked: AskedWork;
  readonly images: readonly JobInput[];
}

/** Takes the images of a request; who calls it submits them, or removes them. Nothing is left of a request that is refused. */
export async function receiveWork(
  context: Pick<RouteContext, 'config' | 'queue' | 'files'>,
  asked: ImagesRequest,
): Promise<ReceivedWork> {
  const ticket = await admittedTicket(context, asked.request, asked.response);
  return writingFiles(context.files, () => receiveFor(ticket, context, asked));
}

/** Hands over what was received as a job. */
export async function submitReceived(
  { queue, files }: Pick<RouteContext, 'queue' | 'files'>,
  { ticket, asked, images }: ReceivedWork,
): Promise<Submission> {
  return writingFiles(files, () => submitJob(queue, asked, { ...ticket, inputs: inputsOf(asked.work, images) }));
}

async function receiveFor(
  ticket: JobTicket,
  { config, files }: Pick<RouteContext, 'config' | 'files'>,
  { request, response, mostFiles, read }: ImagesRequest,
): Promise<ReceivedWork> {
  const { images, fields } = await receiveImages(request, response, {
    file: (index) => files.input(ticket.id, index),
    maxBytes: config.maxFileSizeBytes,
    mostFiles,
  });
  const ask = async (): Promise<AskedWork> => {
    const work = { ...webhookOf(fields.take('webhook_url'), config), ...read(fields) };
    await assertJobFits(work, images, config);
    return work;
  };
  const asked = await ask().catch(async (error: unknown) => {
    await files.removeInputs({ inputs: images });
    throw error;
  });
  return { ticket, asked, images };
}

/** A preview has its one picture for each of its upscalers. */
function inputsOf(work: JobWork, images: readonly JobInput[]): readonly JobInput[] {
  return work.kind === 'preview' ? work.upscalers.flatMap(() => images) : images;
}

interface ImagesRequest {
  readonly request: Request;
  readonly response: Response;
  readonly mostFiles: number;
  readonly read: (fields: Fields) => AskedWork;
}

/** Answers with the result of a job of one image that has completed. */
export async function sendImage(response: Response, job: Job): Promise<void> {
  const [result] = job.results;
  if (!result) throw new Error(`Job ${job.id} completed without a result`);
  const file = await open(result.file);
  setResultHeaders(response, job, result);
  response.status(200).set('Content-Length', String(result.bytes));
  await sendFile(response, file);
}
