import { z } from 'zod';
import { METHODS } from '../../options/methods.ts';
import { fittedUpscaleForm } from '../gateways/fitted-upscale-route.ts';
import { imagesUpscaleBody, imagesUpscaleForm } from '../gateways/images-upscale-route.ts';
import { STATUS_OF_CODE } from '../problem.ts';
import type { Operation } from './operation.ts';
import { UNCHANGED } from './operation.ts';
import type { Step } from './openapi-problems.ts';
import type { JsonSchema } from './openapi-schema.ts';
import {
  answerSchemaOf,
  BYTES,
  EXAMPLE_IMAGE,
  required,
  schemaOf,
  SERVER_SENT_EVENT,
  withExample,
} from './openapi-schema.ts';

const TAKING: readonly Step[] = ['changes something', 'reads a body', 'submits a job', 'does the work'];
const PNG = ['The result', { 'image/png': BYTES }] as const;
const json = (schema: z.ZodType): Readonly<Record<string, JsonSchema>> => ({
  'application/json': answerSchemaOf(schema),
});

const upscaled = z.object({
  id: z.string().describe('ID of the job'),
  created: z.int().describe('Unix time, in seconds'),
  data: z.array(z.object({ url: z.string().optional(), b64_json: z.string().optional() })).length(1),
  info: z.looseObject({}).describe('What was done'),
});
const gatewayError = z.object({
  error: z.object({
    message: z.string(),
    type: z.string(),
    param: z.null(),
    code: z.enum(Object.keys(STATUS_OF_CODE)),
  }),
});
const models = z.object({ models: z.array(z.string()), path: z.string() });

/** The routes of clients of other upscalers. */
export const GATEWAY_OPERATIONS: Readonly<Record<string, Readonly<Partial<Record<'get' | 'post', Operation>>>>> = {
  '/v1/images/upscale': {
    post: {
      summary: 'Enlarge an image, in the form of OpenAI-like gateways; errors are {"error": {...}}',
      tag: 'images',
      body: {
        'multipart/form-data': form(imagesUpscaleForm, 'image'),
        'application/json': withExample(required(schemaOf(imagesUpscaleBody), 'image'), {
          image: EXAMPLE_IMAGE,
          model: 'COMPACT_X2',
          scale: 2,
        }),
      },
      answers: { 200: ['The result as a URL or in base64', json(upscaled)] },
      steps: TAKING,
      errors: answerSchemaOf(gatewayError),
    },
  },
  '/v1/upscale': {
    post: {
      summary: 'Fit an image into a box; X-Upscale-Applied says whether it was enlarged, X-Upscale-Method by what',
      tag: 'images',
      query: fittedUpscaleForm,
      body: { 'multipart/form-data': form(fittedUpscaleForm, 'file'), 'image/*': BYTES },
      answers: { 200: ['The result', { 'image/*': BYTES }] },
      steps: TAKING,
    },
  },
  '/comfy/models': {
    get: {
      summary: 'Names of the upscalers, for remote-upscale nodes of ComfyUI',
      tag: 'service',
      answers: { 200: ['Names', json(models)] },
      steps: ['lists models'],
    },
  },
  '/comfy/health': {
    get: {
      summary: 'Whether the service answers, for the same nodes',
      tag: 'service',
      answers: { 200: ['Yes', json(z.object({ status: z.string() }))] },
    },
  },
  '/comfy/upscale': {
    post: {
      summary: 'Enlarge an image to a PNG, for the same nodes',
      tag: 'images',
      body: { 'multipart/form-data': form(METHODS.upscale.form, 'file') },
      answers: { 200: PNG },
      steps: TAKING,
    },
  },
  '/comfy/upscale_stream': {
    post: {
      summary: 'The same, answered with events: {"progress", "total"}, then {"status": "done", "result_id"}',
      tag: 'images',
      body: { 'multipart/form-data': form(METHODS.upscale.form, 'file') },
      answers: { 200: ['Server-sent events', { 'text/event-stream': SERVER_SENT_EVENT }] },
      steps: TAKING,
    },
  },
  '/comfy/result/{id}': {
    get: {
      summary: 'The result of /comfy/upscale_stream',
      tag: 'jobs',
      answers: { 200: PNG, 206: ['A range of it', PNG[1]], 304: UNCHANGED },
      steps: ['finds a job', 'reads a result', 'sends a file'],
    },
  },
};

/** A form with one image in the part `part`. */
function form(fields: z.ZodObject, part: string): JsonSchema {
  const schema = schemaOf(fields);
  const properties = { [part]: BYTES, ...(schema['properties'] as JsonSchema) };
  return required({ ...schema, properties }, part);
}
