import { Router } from 'express';
import { z } from 'zod';
import { jobView } from '../../jobs/job-view.ts';
import { outputOptions } from '../../options/output-options.ts';
import { oneSize, upscaleOptions } from '../../options/upscale-options.ts';
import { answerJob } from '../answer-job.ts';
import type { Fields } from '../fields.ts';
import { parseParameters } from '../fields.ts';
import { regionText } from '../result-part.ts';
import type { AskedWork } from '../submit-job.ts';
import { submitImages } from './image-routes.ts';
import type { RouteContext } from './route-context.ts';

/** More are more than anyone compares at once. */
const MAX_UPSCALERS = 12;
const UPSCALERS_ERROR = `must be 1 to ${MAX_UPSCALERS} names of upscalers, comma-separated`;

/** The fields of `POST /preview`: those of an upscale, and what is looked at. */
export const previewForm = upscaleOptions
  .extend({
    ...outputOptions.shape,
    output_format: outputOptions.shape.output_format.default('png'),
    region: regionText,
    upscalers: z
      .string()
      .max(4000)
      .transform((text) => [...new Set(text.split(',').map((name) => name.trim()))])
      .pipe(z.array(z.string().min(1)).min(1, UPSCALERS_ERROR).max(MAX_UPSCALERS, UPSCALERS_ERROR))
      .optional()
      .describe('Names of upscalers, comma-separated; by default, `upscaler` alone'),
  })
  .check(oneSize());

/**
 * `POST /preview`: a region of a picture as one or several upscalers make it, each equal to the same crop of its whole result. Answers
 * the job, whose results are in the order of the upscalers; one that is unknown or cannot be had fails by itself.
 */
export function previewRoute(context: RouteContext): Router {
  return Router().post('/preview', async (request, response) => {
    const submission = await submitImages(context, { request, response, mostFiles: 1, read: readPreview });
    await answerJob(context.awaited, submission, response, (job) => response.json(jobView(job)));
  });
}

function readPreview(fields: Fields): AskedWork {
  const { values, warnings } = parseParameters(previewForm, fields.entries());
  const { region, upscalers, ...rest } = values;
  const options = upscaleOptions.parse(rest);
  const work = { kind: 'preview' as const, upscalers: upscalers ?? [options.upscaler], region, options };
  return { method: 'preview', work, output: outputOptions.parse(rest), warnings };
}
