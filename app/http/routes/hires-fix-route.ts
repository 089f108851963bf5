import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import type { Response } from 'express';
import { Router } from 'express';
import { z } from 'zod';
import type { Job, JobInput, JobResult, Submission } from '../../jobs/job.ts';
import { outputOptions } from '../../options/output-options.ts';
import { oneSize, upscaleOptions } from '../../options/upscale-options.ts';
import { answerJob } from '../answer-job.ts';
import { base64Of } from '../base64-of.ts';
import { BadBodyError } from '../errors.ts';
import { parseParameters } from '../fields.ts';
import type { JsonImages } from '../receiving/json-images.ts';
import { jobWarnings } from '../result-headers.ts';
import type { JobTicket } from '../submit-job.ts';
import { assertJobFits, MAX_IMAGES, submitJob } from '../submit-job.ts';
import { submitJsonImages } from '../submit-json-images.ts';
import { webhookOf, webhookUrl } from '../webhook-field.ts';
import type { RouteContext } from './route-context.ts';

/** Images that one body may carry, counted at their largest. More belong in several requests. */
const BOUNDS = { mostImages: MAX_IMAGES, fullSizeImages: 8 };

export const hiresFixBody = z.object({
  images: z
    .array(z.string({ error: 'must be text: base64 or a data URL' }), {
      error: 'must be a list of images, as base64 or data URLs',
    })
    .min(1, { error: 'must have at least one image' })
    .max(MAX_IMAGES, { error: `must have at most ${MAX_IMAGES} images` }),
  config: z
    .custom<Record<string, unknown>>((value) => typeof value === 'object' && !Array.isArray(value), {
      error: 'must be an object with the fields of HiresFixConfig',
    })
    .optional(),
  webhook_url: webhookUrl,
});

const { scale, width, height, ...sameNames } = upscaleOptions.shape;
/** `HiresFixConfig`: the options of an upscale, the size under names of its own. */
export const hiresFixConfig = z
  .object({
    ...sameNames,
    ...outputOptions.shape,
    upscale_factor: scale,
    target_width: width,
    target_height: height,
  })
  .check(oneSize({ scale: 'upscale_factor', width: 'target_width', height: 'target_height' }));

/** `POST /hires-fix` takes images in JSON and answers with them enlarged, and with what was done, in JSON. */
export function hiresFixRoute({ config, queue, files, awaited }: RouteContext): Router {
  return Router().post('/hires-fix', async (request, response) => {
    const submission = await submitJsonImages({ request, response }, { config, queue, files }, BOUNDS, (body, ticket) =>
      submit({ config, queue }, body, ticket),
    );
    await answerJob(awaited, submission, response, (job) => files.reading(job, () => sendImages(response, job)));
  });
}

async function submit(
  { config, queue }: Pick<RouteContext, 'config' | 'queue'>,
  body: JsonImages,
  ticket: JobTicket,
): Promise<Submission> {
  const { images, ...asked } = parseBody(body.value, config);
  const decoded = [];
  for (const [index, text] of images.entries()) decoded.push(await body.image(`images[${index}]`, text));
  const inputs = decoded.map(({ file, sha256 }, index): JobInput => ({ file, name: `images[${index}]`, sha256 }));
  await assertJobFits(asked, inputs, config);
  await body.removeAllBut(inputs.map(({ file }) => file));
  return submitJob(queue, asked, { ...ticket, inputs });
}

function parseBody(body: unknown, config: RouteContext['config']) {
  if (typeof body !== 'object' || body === null)
    throw new BadBodyError('The body must be a JSON object with "images" and "config"');
  const outer = parseParameters(hiresFixBody, Object.entries(body));
  const inner = parseParameters(hiresFixConfig, Object.entries(outer.values.config ?? {}));
  const { upscale_factor, target_width, target_height, ...rest } = inner.values;
  const sizes = { scale: upscale_factor, width: target_width, height: target_height };
  return {
    method: 'hires-fix' as const,
    images: outer.values.images,
    work: { kind: 'hires-fix' as const, options: upscaleOptions.parse({ ...rest, ...sizes }) },
    output: outputOptions.parse(rest),
    ...webhookOf(outer.values.webhook_url, config),
    warnings: [...outer.warnings, ...inner.warnings],
  };
}

async function sendImages(response: Response, job: Job): Promise<void> {
  response
    .status(200)
    .type('application/json')
    .set('ETag', `"${digestOf(job.results)}"`);
  await pipeline(jsonAnswer(job), response);
}

/** The answer piece by piece: results may be far larger than a string can be. */
async function* jsonAnswer(job: Job): AsyncGenerator<string, void> {
  yield '{"images":[';
  for (const [index, { file }] of job.results.entries()) {
    yield index === 0 ? '"' : ',"';
    yield* base64Of(file);
    yield '"';
  }
  yield `],"info":${JSON.stringify(infoOf(job))}}`;
}

/** What holds for the request as a whole is told by its first image; `images` has each one's own record. */
function infoOf(job: Job): Record<string, unknown> {
  const warnings = [...new Set(job.results.flatMap((result) => jobWarnings(job, result)))];
  return { job_id: job.id, ...job.results[0]?.info, warnings, images: job.results.map(({ info }) => info) };
}

function digestOf(results: readonly JobResult[]): string {
  return createHash('sha256')
    .update(results.map(({ sha256 }) => sha256).join())
    .digest('hex');
}
