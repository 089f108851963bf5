import { z } from 'zod';
import { batchBody, singleBody } from '../a1111/extras-route.ts';
import { pngInfoBody } from '../a1111/png-info-route.ts';
import { EMPTY_PROBES, REFRESHES } from '../a1111/probes-route.ts';
import { internalProgressBody } from '../a1111/progress-route.ts';
import type { Operation, Operations } from './operation.ts';
import type { JsonSchema } from './openapi-schema.ts';
import { EXAMPLE_IMAGE, required, schemaOf, withExample } from './openapi-schema.ts';

const named = z.looseObject({ name: z.string() });
const nullable = z.number().nullable();

/** What the routes of the A1111 WebUI answer, beside values that are always the same. */
export const A1111_SCHEMAS = {
  A1111Error: z.looseObject({
    detail: z
      .union([
        z.string(),
        z.array(z.object({ loc: z.array(z.union([z.string(), z.int()])), msg: z.string(), type: z.string() })),
      ])
      .describe('What is wrong; for a body that does not validate, a list of the places'),
    error: z.string().optional(),
    errors: z.string().optional(),
    body: z.string().optional(),
  }),
  A1111Image: z.object({
    html_info: z.string().describe('What was asked, and what was done'),
    image: z.string().describe('In base64, without a prefix'),
  }),
  A1111Images: z.object({ html_info: z.string(), images: z.array(z.string()).describe('In the order of imageList') }),
  A1111Options: z.looseObject({ sd_model_checkpoint: z.string(), samples_format: z.string() }),
  A1111PngInfo: z.object({
    info: z.string().describe('The text in which the WebUI records how an image was made'),
    items: z.record(z.string(), z.string()).describe('The other texts'),
    parameters: z.record(z.string(), z.string()).describe('The parameters in `info`, by name'),
  }),
  A1111Progress: z.looseObject({
    progress: z.number().min(0).max(1).describe('0 if nothing runs'),
    eta_relative: z.number().describe('Seconds'),
    state: z.looseObject({
      job: z.string(),
      job_count: z.int().describe('Images of the job; 0 if nothing runs'),
      job_no: z.int().describe('Finished images'),
      sampling_step: z.int().describe('Finished tiles'),
      sampling_steps: z.int(),
    }),
    current_image: z.null(),
    textinfo: z.string().nullable(),
  }),
  A1111TaskProgress: z.looseObject({
    active: z.boolean(),
    queued: z.boolean(),
    completed: z.boolean(),
    progress: nullable,
    eta: nullable,
  }),
  A1111Upscalers: z.array(
    named.extend({
      model_name: z.string().nullable(),
      model_path: z.string().nullable().describe('File name of the weights'),
      model_url: z.string().nullable(),
      scale: nullable,
    }),
  ),
  A1111Named: z.array(named),
  A1111Memory: z.object({
    ram: z.object({ free: z.number(), used: z.number(), total: z.number() }),
    cuda: z.looseObject({ error: z.string() }),
  }),
} as const;

/** Errors as the WebUI tells them; 422 is what does not validate, and an upscaler that is not there. */
export const A1111_ERRORS: Readonly<Record<string, JsonSchema>> = {
  default: {
    description: 'What is wrong, in the form of the WebUI',
    content: { 'application/json': { schema: { $ref: '#/components/schemas/A1111Error' } } },
  },
};

const SINGLE = withExample(schemaOf(singleBody), {
  image: EXAMPLE_IMAGE,
  upscaling_resize: 2,
  upscaler_1: 'Compact 2x',
});
const BATCH = withExample(required(schemaOf(batchBody), 'imageList'), {
  imageList: [{ data: EXAMPLE_IMAGE, name: 'page-1.png' }],
  resize_mode: 1,
  upscaling_resize_w: 1600,
  upscaling_resize_h: 1200,
  upscaler_1: 'Lanczos',
});

const single = post('Enlarge an image and restore its faces', SINGLE, ['The result', 'A1111Image']);
const batch = post('The same for several images', BATCH, ['The results', 'A1111Images']);

/** The routes of the A1111 WebUI. A test holds them, with the others, equal to the routes that are there. */
export const A1111_OPERATIONS: Operations = {
  '/sdapi/v1/extra-single-image': { post: single },
  '/sdapi/v1/extra-batch-images': { post: batch },
  '/sdapi/v1/process': { post: { ...single, summary: 'extra-single-image, as SD.Next calls it' } },
  '/sdapi/v1/process-batch': { post: { ...batch, summary: 'extra-batch-images, as SD.Next calls it' } },
  '/sdapi/v1/upscalers': { get: get('Upscalers that can be used now; the first is None', 'A1111Upscalers') },
  '/sdapi/v1/realesrgan-models': { get: get('R-ESRGAN models, and where they are published', 'A1111Named') },
  '/sdapi/v1/face-restorers': { get: get('Face restorers', 'A1111Named') },
  '/sdapi/v1/progress': { get: get("Progress of the caller's extras, tile by tile", 'A1111Progress') },
  '/internal/progress': {
    post: post('Progress of one task', withExample(schemaOf(internalProgressBody), { id_task: 'task(1)' }), [
      'Its state',
      'A1111TaskProgress',
    ]),
  },
  '/sdapi/v1/interrupt': {
    post: post("Cancel the caller's running extras", undefined, ['An empty object', 'always']),
  },
  '/sdapi/v1/skip': { post: post('The same, if they have only one image', undefined, ['null', 'always']) },
  '/sdapi/v1/options': {
    get: get('What the caller has set, and what clients expect', 'A1111Options'),
    post: post(
      'Set options; only samples_format has an effect',
      withExample({ type: 'object' }, { samples_format: 'webp' }),
      ['null', 'always'],
    ),
  },
  '/sdapi/v1/png-info': {
    get: { ...get('The texts in an image', 'A1111PngInfo'), query: pngInfoBody },
    post: post('The texts in an image', withExample(schemaOf(pngInfoBody), { image: EXAMPLE_IMAGE }), [
      'The texts',
      'A1111PngInfo',
    ]),
  },
  '/sdapi/v1/memory': { get: get('Memory of the machine, in bytes', 'A1111Memory') },
  ...Object.fromEntries(
    Object.entries(EMPTY_PROBES).map(([name, value]) => [
      `/sdapi/v1/${name}`,
      { get: answering('Requested by clients at their start; always the same', { const: value }) },
    ]),
  ),
  ...Object.fromEntries(
    REFRESHES.map((name) => [
      `/sdapi/v1/${name}`,
      { post: answering('No effect: installed models are looked up on every request', { type: 'null' }) },
    ]),
  ),
};

function get(summary: string, schema: keyof typeof A1111_SCHEMAS): Operation {
  return answering(summary, { $ref: `#/components/schemas/${schema}` });
}

function post(
  summary: string,
  body: JsonSchema | undefined,
  [description, answer]: readonly [string, keyof typeof A1111_SCHEMAS | 'always'],
): Operation {
  const schema = answer === 'always' ? {} : { $ref: `#/components/schemas/${answer}` };
  const answers = { 200: [description, { 'application/json': schema }] as const };
  return { summary, tag: 'a1111', ...(body && { body: { 'application/json': body } }), answers };
}

function answering(summary: string, schema: JsonSchema): Operation {
  return { summary, tag: 'a1111', answers: { 200: [summary, { 'application/json': schema }] } };
}
