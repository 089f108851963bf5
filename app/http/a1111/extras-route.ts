import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import { Router } from 'express';
import { z } from 'zod';
import type { Config } from '../../config.ts';
import { BadImageError } from '../../imaging/errors.ts';
import { NotAcceptingError } from '../../jobs/errors.ts';
import type { Job, JobInput, Submission } from '../../jobs/job.ts';
import { hasEnded } from '../../jobs/job.ts';
import { outputOptions } from '../../options/output-options.ts';
import { PrivateAddressError, UnfetchableError } from '../../outbound/errors.ts';
import { fetchGuarded } from '../../outbound/fetch-guarded.ts';
import { disconnection } from '../answer-job.ts';
import { base64Of } from '../base64-of.ts';
import { BadBodyError, BadFieldError } from '../errors.ts';
import { parseParameters } from '../fields.ts';
import type { JsonImages } from '../receiving/json-images.ts';
import type { RouteContext } from '../routes/route-context.ts';
import type { JobTicket } from '../submit-job.ts';
import { assertJobFits, MAX_IMAGES, submitJob } from '../submit-job.ts';
import { submitJsonImages } from '../submit-json-images.ts';
import { sendA1111Error } from './a1111-errors.ts';
import type { ExtrasBody } from './extras-body.ts';
import { extrasBody, extrasOptions } from './extras-body.ts';
import { htmlInfo } from './extras-text.ts';
import type { A1111Options } from './options-route.ts';
import { setProcessTime } from './process-time.ts';

/** Pictures that one body may carry. */
const BOUNDS = { mostImages: MAX_IMAGES, fullSizeImages: 8 };
/** A picture by its address, which the WebUI would fetch as well. */
const URL_START = /^\s*https?:\/\//i;

const image = z.string({ error: 'must be text: base64 or a data URL' });

/** The body of `extra-single-image`. */
export const singleBody = extrasBody.extend({ image: image.default('').describe('In base64, or as a data URL') });

/** The body of `extra-batch-images`. */
export const batchBody = extrasBody.extend({
  imageList: z
    .array(z.object({ data: image, name: z.string().max(255).default('image') }), {
      error: 'must be a list of {data, name}',
    })
    .min(1, { error: 'must have at least one image' })
    .max(MAX_IMAGES, { error: `must have at most ${MAX_IMAGES} images` }),
});

type ExtrasContext = RouteContext & { readonly options: A1111Options };

/** A picture of a body, and how its answer is called. */
interface SentImage {
  readonly field: string;
  readonly text: string;
  readonly name: string;
}

/**
 * `POST /sdapi/v1/extra-single-image` and `/extra-batch-images`, and what SD.Next calls the same. Both answer when the pictures are
 * made, by base64 without a prefix; whoever hangs up cancels the work.
 */
export function extrasRoute(context: ExtrasContext): Router {
  const router = Router();
  for (const path of ['extra-single-image', 'process'])
    router.post(`/sdapi/v1/${path}`, extras(context, readSingle, sendSingle));
  for (const path of ['extra-batch-images', 'process-batch'])
    router.post(`/sdapi/v1/${path}`, extras(context, readBatch, sendBatch));
  return router;
}

/** What a body asks for: its fields, and its pictures. */
interface Asked {
  readonly values: ExtrasBody;
  readonly warnings: readonly string[];
  readonly images: readonly SentImage[];
}

type Read = (body: object) => Asked;

function extras(context: ExtrasContext, read: Read, send: (job: Job) => AsyncGenerator<string, void>) {
  const { files, awaited } = context;
  return async (request: Request, response: Response): Promise<void> => {
    const submission = await submitJsonImages({ request, response }, context, BOUNDS, (body, ticket) =>
      submit(context, { body, read, ticket }),
    );
    response.set('X-Job-Id', submission.job.id);
    const job = await awaited.wait(submission.job.id, { signal: disconnection(request, response), waitMs: undefined });
    if (job) await answer(response, job, () => files.reading(job, () => sendPieces(response, send(job))));
  };
}

async function answer(response: Response, job: Job, send: () => Promise<void>): Promise<void> {
  if (job.status === 'completed') await send();
  else if (job.error) sendA1111Error(response, job.error);
  else if (hasEnded(job.status))
    sendA1111Error(response, { code: 'ERR_CANCELLED', message: `Interrupted: job ${job.id} was cancelled` });
  else throw new NotAcceptingError();
}

async function submit(
  context: ExtrasContext,
  { body, read, ticket }: { readonly body: JsonImages; readonly read: Read; readonly ticket: JobTicket },
): Promise<Submission> {
  if (typeof body.value !== 'object' || body.value === null) throw new BadBodyError('The body must be a JSON object');
  const { values, warnings, images } = read(body.value);
  const options = await extrasOptions(values, context);
  const inputs: JobInput[] = [];
  for (const sent of images) inputs.push(await inputOf(body, sent, context.config));
  await body.removeAllBut(inputs.map(({ file }) => file));
  const asked = {
    method: 'extras' as const,
    work: { kind: 'extras' as const, options },
    output: outputOptions.parse({ output_format: context.options.formatOf(ticket.caller) }),
    warnings,
  };
  await assertJobFits(asked, inputs, context.config);
  return submitJob(context.queue, asked, { ...ticket, key: ticket.key ?? values.force_task_id, inputs });
}

/** What is no picture is told as the WebUI tells it, not as a field that does not validate. */
async function inputOf(body: JsonImages, { field, text, name }: SentImage, config: Config): Promise<JobInput> {
  const base64 = URL_START.test(text) ? await fetched(field, text, config) : text;
  try {
    const { file, sha256 } = await body.image(field, base64);
    return { file, name, sha256 };
  } catch (error) {
    if (error instanceof BadFieldError)
      throw new BadImageError(field, 'expected base64 or a data URL (base64)', { cause: error });
    throw error;
  }
}

/** The picture at an address, where the service may fetch it (`ALLOW_URL_INPUT`). */
async function fetched(field: string, url: string, { allowUrlInput, maxFileSizeBytes }: Config): Promise<string> {
  if (!allowUrlInput)
    throw new BadImageError(
      field,
      'this service does not fetch addresses (ALLOW_URL_INPUT is off); send the image itself',
    );
  try {
    return (await fetchGuarded(url, { maxBytes: maxFileSizeBytes })).toString('base64');
  } catch (error) {
    if (error instanceof PrivateAddressError || error instanceof UnfetchableError)
      throw new BadImageError(field, `the address ${error.message}`, { cause: error });
    throw error;
  }
}

function readSingle(body: object): Asked {
  const { values, warnings } = parseParameters(singleBody, Object.entries(body));
  const images = [{ field: 'image', text: values.image, name: 'image' }];
  return { values, warnings, images };
}

function readBatch(body: object): Asked {
  const { values, warnings } = parseParameters(batchBody, Object.entries(body));
  const images = values.imageList.map(({ data, name }, index): SentImage => ({
    field: `imageList[${index}].data`,
    text: data,
    name,
  }));
  return { values, warnings, images };
}

async function sendPieces(response: Response, pieces: AsyncGenerator<string, void>): Promise<void> {
  setProcessTime(response);
  response.status(200).type('application/json');
  await pipeline(pieces, response);
}

async function* sendSingle(job: Job): AsyncGenerator<string, void> {
  const [result] = job.results;
  if (!result) throw new Error(`Job ${job.id} completed without a result`);
  yield `{"html_info":${JSON.stringify(htmlInfo(job))},"image":"`;
  yield* base64Of(result.file);
  yield '"}';
}

async function* sendBatch(job: Job): AsyncGenerator<string, void> {
  yield `{"html_info":${JSON.stringify(htmlInfo(job))},"images":[`;
  for (const [index, { file }] of job.results.entries()) {
    yield index === 0 ? '"' : ',"';
    yield* base64Of(file);
    yield '"';
  }
  yield ']}';
}
