import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import { Router } from 'express';
import { z } from 'zod';
import type { Job, JobResult, Submission } from '../../jobs/job.ts';
import { processedName } from '../../jobs/job-view.ts';
import { METHODS } from '../../options/methods.ts';
import { outputOptions } from '../../options/output-options.ts';
import { oneSize, upscaleOptions } from '../../options/upscale-options.ts';
import { oneOf } from '../../options/values.ts';
import { base64Of } from '../base64-of.ts';
import { BadBodyError } from '../errors.ts';
import type { Fields } from '../fields.ts';
import { parseParameters } from '../fields.ts';
import type { JsonImages } from '../receiving/json-images.ts';
import { askedWork, submitImages } from '../routes/image-routes.ts';
import type { RouteContext } from '../routes/route-context.ts';
import type { AskedWork, JobTicket } from '../submit-job.ts';
import { assertJobFits, submitJob } from '../submit-job.ts';
import { submitJsonImages } from '../submit-json-images.ts';
import { whenCompleted } from './completed-job.ts';
import { sendGatewayError } from './gateway-errors.ts';

export const IMAGES_UPSCALE_PATH = '/v1/images/upscale';

/** How the picture comes: by a URL of this service, or as base64. */
const RESPONSE_FORMATS = ['url', 'b64_json'] as const;
type ResponseFormat = (typeof RESPONSE_FORMATS)[number];

const imageText = z.string({ error: 'must be an image as base64 or a data URL' });
const responseFormat = oneOf(RESPONSE_FORMATS).optional().describe('By default, url for a form and b64_json for JSON');

/** The fields of the form beside its picture. */
export const imagesUpscaleForm = upscaleOptions.extend({ ...outputOptions.shape, response_format: responseFormat });
/** The JSON body. */
export const imagesUpscaleBody = imagesUpscaleForm.extend({ image: imageText }).check(oneSize());

/**
 * `POST /v1/images/upscale` as OpenAI-like gateways have it: a form with `image`, `model`, `scale`, answered by a URL; or JSON with
 * `image` in base64, answered in base64. `response_format` says otherwise. Every option of an upscale is taken as well.
 */
export function imagesUpscaleRoute(context: RouteContext): Router {
  return Router().post(IMAGES_UPSCALE_PATH, async (request, response) => {
    const submit = request.is('json') ? submitJson : submitForm;
    const { submission, format } = await submit(context, request, response);
    const send = (job: Job): Promise<void> => sendImage(response, job, format);
    await whenCompleted(context, submission, response, { send, fail: sendGatewayError });
  });
}

interface Asked {
  readonly submission: Submission;
  readonly format: ResponseFormat;
}

async function submitForm(context: RouteContext, request: Request, response: Response): Promise<Asked> {
  let format: ResponseFormat = 'url';
  const read = (fields: Fields): AskedWork => {
    const given = z.object({ response_format: responseFormat });
    const named = fields.take('response_format');
    format = parseParameters(given, [['response_format', named ?? null]]).values.response_format ?? format;
    return askedWork('upscale', fields, context.config);
  };
  const submission = await submitImages(context, { request, response, mostFiles: 1, read });
  return { submission, format };
}

async function submitJson(context: RouteContext, request: Request, response: Response): Promise<Asked> {
  return submitJsonImages({ request, response }, context, { mostImages: 1, fullSizeImages: 1 }, (body, ticket) =>
    submitBody(context, body, ticket),
  );
}

async function submitBody({ config, queue }: RouteContext, body: JsonImages, ticket: JobTicket): Promise<Asked> {
  const { image: text, response_format: format = 'b64_json', ...asked } = parseJson(body.value, config);
  const { file, sha256 } = await body.image('image', text);
  const inputs = [{ file, name: 'image', sha256 }];
  await assertJobFits(asked, inputs, config);
  await body.removeAllBut([file]);
  return { submission: await submitJob(queue, asked, { ...ticket, inputs }), format };
}

function parseJson(body: unknown, config: RouteContext['config']) {
  if (typeof body !== 'object' || body === null) throw new BadBodyError('The body must be a JSON object with "image"');
  const { values, warnings } = parseParameters(imagesUpscaleBody, Object.entries(body));
  const { image, response_format, ...fields } = values;
  const work = METHODS.upscale.workOf(fields, config);
  return { image, response_format, method: 'upscale' as const, work, output: outputOptions.parse(fields), warnings };
}

async function sendImage(response: Response, job: Job, format: ResponseFormat): Promise<void> {
  const [result] = job.results;
  if (!result) throw new Error(`Job ${job.id} completed without a result`);
  response.status(200).type('application/json').set('ETag', `"${result.sha256}"`);
  await pipeline(answer(job, result, format === 'url' ? urlOf(response, job, result) : undefined), response);
}

/** The answer piece by piece: a picture in base64 may be larger than a string can be. */
async function* answer(job: Job, result: JobResult, url: string | undefined): AsyncGenerator<string, void> {
  const created = Math.floor((job.finishedAt ?? job.createdAt) / 1000);
  yield `{"id":"${job.id}","created":${created},"data":[{`;
  if (url === undefined) {
    yield '"b64_json":"';
    yield* base64Of(result.file);
    yield '"';
  } else yield `"url":${JSON.stringify(url)}`;
  yield `}],"info":${JSON.stringify(result.info)}}`;
}

/**
 * Clients fetch it as it stands, so it has the name and the scheme by which they reached the service: a proxy that speaks TLS with them
 * says so. Whoever says so without one misleads nobody but himself.
 */
function urlOf({ req }: Response, job: Job, result: JobResult): string {
  const [forwarded = ''] = (req.get('X-Forwarded-Proto') ?? '').split(',');
  const scheme = forwarded.trim().toLowerCase() === 'https' ? 'https' : req.protocol;
  return `${scheme}://${req.get('Host') ?? 'localhost'}/processed/${processedName(job, result)}`;
}
