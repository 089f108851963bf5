import { z } from 'zod';
import { ARCHIVE_OPERATIONS } from './archive-paths.ts';
import { GATEWAY_OPERATIONS } from './gateway-paths.ts';
import { A1111_ERRORS, A1111_OPERATIONS } from './a1111-operations.ts';
import type { Answer, Operation, Operations } from './operation.ts';
import { header, UNCHANGED } from './operation.ts';
import type { Step } from './openapi-problems.ts';
import { problemAnswers } from './openapi-problems.ts';
import type { JsonSchema } from './openapi-schema.ts';
import {
  BYTES,
  EXAMPLE_IMAGE,
  fieldsOf,
  required,
  schemaOf,
  SERVER_SENT_EVENT,
  TEXT,
  withExample,
} from './openapi-schema.ts';
import { hiresFixBody, hiresFixConfig } from '../routes/hires-fix-route.ts';
import { jobsPage } from '../routes/jobs-route.ts';
import { downloadQuery } from '../routes/models-route.ts';
import { previewForm } from '../routes/preview-route.ts';
import { partQuery } from '../result-part.ts';
import type { ImageMethod } from '../../options/methods.ts';
import { IMAGE_METHODS, METHODS } from '../../options/methods.ts';
import { IMAGE_PARTS, otherNames } from '../../options/other-names.ts';
import { OUTPUT_FORMAT_NAMES, traitsOf } from '../../options/output-formats.ts';
import { MAX_IMAGES } from '../submit-job.ts';
import { webhookUrl } from '../webhook-field.ts';

const PART_NAMES = `The part may also be called ${IMAGE_PARTS.filter((name) => name !== 'file' && name !== 'files').join(', ')}`;
const ref = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` });
const json = (schema: JsonSchema): Readonly<Record<string, JsonSchema>> => ({ 'application/json': schema });

const JOB_HEADERS = { 'X-Job-Id': header('ID of the job', ref('JobId')) };
const RESULT_HEADERS = {
  ...JOB_HEADERS,
  ETag: header('Identifies the content'),
  'X-Model': header('The model that made it'),
  'X-Scale': header('How many times larger than the image it is', { type: 'number' }),
  'X-Device': header('The device it was made on'),
  'X-Warnings': header('What the caller should know: fallbacks, ignored fields'),
  'Server-Timing': header('Milliseconds per stage'),
};
const IMAGE = { 'image/*': BYTES };
const RESULT_TYPES = Object.fromEntries(OUTPUT_FORMAT_NAMES.map((format) => [traitsOf(format).mediaType, BYTES]));
const ACCEPTED: Answer = [
  'Accepted; `Location` is the job',
  json(ref('Accepted')),
  { ...JOB_HEADERS, Location: header('URL of the job') },
  Object.fromEntries(
    ['getJobsId', 'getJobsIdEvents', 'getStatusId', 'deleteJobsId'].map((operationId) => [
      operationId,
      { operationId, parameters: { id: '$response.body#/job_id' } },
    ]),
  ),
];
const JOB: Answer = ['The job in its current state', json(ref('Job'))];
const PAGE: Answer = ['A page', { 'text/html': TEXT }];
const RESULT: Answer = ['The result', RESULT_TYPES, RESULT_HEADERS];
/** Of a job of any method: what finds faces has a list as its result. */
const ANY_RESULT: Answer = ['The result', { ...RESULT_TYPES, ...json({ type: 'object' }) }, RESULT_HEADERS];
const PARTS: Operation['answers'] = { 206: ['A range of it', ANY_RESULT[1], RESULT_HEADERS], 304: UNCHANGED };
const MODEL_FILE = { ...BYTES, description: 'Its file name names the model; existing models are not replaced' };
const SUBMITTING = ['Idempotency-Key', 'Prefer'] as const;
const TAKING: readonly Step[] = ['changes something', 'reads a body', 'submits a job'];

/** What a method's own route answers where all is well, but for methods whose answer is a job. */
const ANSWERS: Readonly<Record<Exclude<ImageMethod['answer'], 'job'>, Answer>> = {
  image: RESULT,
  faces: ['The faces', json(ref('Faces')), JOB_HEADERS],
};

/** `POST /{method}` of every method that takes images. */
function imageOperations(): Readonly<Record<string, { readonly post: Operation }>> {
  const operations = [...IMAGE_METHODS].map(([name, { answer, form, summary }]) => {
    const post =
      answer === 'job' ? jobOperation(summary, filesForm(form)) : imageOperation(form, summary, ANSWERS[answer]);
    return [`/${name}`, { post }] as const;
  });
  return Object.fromEntries(operations);
}

/** `POST` of one image that is answered by what `answer` says. */
function imageOperation(form: z.ZodObject, summary: string, answer: Answer): Operation {
  const asked = z.object({ ...withOtherNames(form).shape, webhook_url: webhookUrl });
  return {
    summary,
    tag: 'images',
    query: asked,
    headers: SUBMITTING,
    body: {
      'multipart/form-data': required(formOf(asked, { file: { ...BYTES, description: PART_NAMES } }), 'file'),
      ...IMAGE,
    },
    answers: { 200: answer, 202: ACCEPTED },
    steps: [...TAKING, 'does the work'],
  };
}

/** `POST` of images that are answered later. */
function jobOperation(summary: string, form: JsonSchema): Operation {
  const body = { 'multipart/form-data': form };
  return { summary, tag: 'jobs', headers: ['Idempotency-Key'], body, answers: { 202: ACCEPTED }, steps: TAKING };
}

/** The form of several images, and of the method that it is for, where that is a field. */
function filesForm(form: z.ZodObject, method?: string): JsonSchema {
  const files = { files: { type: 'array', items: BYTES, minItems: 1, maxItems: MAX_IMAGES, description: PART_NAMES } };
  const named = method === undefined ? files : { method: { type: 'string', const: method }, ...files };
  const schema = formOf(z.object({ ...withOtherNames(form).shape, webhook_url: webhookUrl }), named);
  return required(schema, ...Object.keys(named));
}

function formOf(schema: z.ZodObject, others: JsonSchema): JsonSchema {
  return { type: 'object', properties: { ...others, ...fieldsOf(schema) } };
}

/** A form with what its fields may also be called. */
function withOtherNames(form: z.ZodObject): z.ZodObject {
  const others = [...otherNames((name) => Object.hasOwn(form.shape, name))].map(([name, field]) => {
    const kind = form.shape[field] as z.ZodType;
    const bare = kind instanceof z.ZodDefault ? (kind.unwrap() as z.ZodType) : kind;
    return [name, bare.optional().describe(`Another name for ${field}; if both are given, they must agree`)] as const;
  });
  return z.object({ ...form.shape, ...Object.fromEntries(others) });
}

/** A form for each method, which has that method's fields alone. */
const ANY_FORM: JsonSchema = {
  anyOf: [...IMAGE_METHODS].map(([name, { form, summary }]) => ({ title: summary, ...filesForm(form, name) })),
};

/** Every route of the service, by path and method. A test holds this equal to the routes that are there. */
export const OPERATIONS: Operations = {
  ...imageOperations(),
  '/preview': {
    post: imageOperation(previewForm, METHODS.preview.summary, [
      'The job, with results in the order of the upscalers',
      json(ref('Job')),
    ]),
  },
  '/hires-fix': {
    post: {
      summary: METHODS['hires-fix'].summary,
      tag: 'images',
      headers: SUBMITTING,
      body: json(
        withExample(
          required(schemaOf(hiresFixBody.extend({ config: withOtherNames(hiresFixConfig).optional() })), 'images'),
          { images: [EXAMPLE_IMAGE], config: { upscaler: 'COMPACT_X2', upscale_factor: 2 } },
        ),
      ),
      answers: { 200: ['The results and what was done', json(ref('HiresFixResult')), JOB_HEADERS], 202: ACCEPTED },
      steps: [...TAKING, 'does the work'],
    },
  },
  '/jobs': {
    post: jobOperation('Any method as a job', ANY_FORM),
    get: {
      summary: "The caller's jobs, newest first",
      tag: 'jobs',
      query: jobsPage,
      answers: { 200: ['A page of jobs', json(ref('JobPage'))] },
      steps: ['reads parameters', 'finds a job'],
    },
  },
  '/jobs/{id}': {
    get: { summary: 'A job', tag: 'jobs', answers: { 200: JOB }, steps: ['finds a job'] },
    delete: {
      summary: 'Cancel a waiting or running job; remove an ended one with its results',
      tag: 'jobs',
      answers: { 200: JOB, 204: ['Removed', {}] },
      steps: ['changes something', 'finds a job', 'ends a job'],
    },
  },
  '/jobs/{id}/results/{number}': {
    get: {
      summary: 'A result of a job, or a part of it as a PNG',
      tag: 'jobs',
      query: partQuery,
      answers: { 200: ANY_RESULT, ...PARTS },
      steps: ['reads parameters', 'finds a job', 'reads a result', 'sends a file'],
    },
  },
  '/jobs/{id}/sketch/{number}': {
    get: {
      summary: 'The finished parts of a result in progress: reduced, and transparent where nothing is finished',
      tag: 'jobs',
      answers: {
        200: ['The finished parts', { 'image/webp': BYTES }],
        204: ['Nothing to show: no tile is finished, there is only one tile, or the job is done', {}],
      },
      steps: ['finds a job', 'finds a result'],
    },
  },
  '/jobs/{id}/results.zip': {
    get: {
      summary: 'All results of a job as one ZIP, without compression',
      tag: 'jobs',
      answers: {
        200: ['The results, under the names they are saved by', { 'application/zip': BYTES }, JOB_HEADERS],
        304: UNCHANGED,
      },
      steps: ['finds a job', 'reads a result'],
    },
  },
  '/jobs/{id}/events': {
    get: {
      summary: 'The events of a job, as they happen',
      tag: 'jobs',
      headers: ['Last-Event-ID'],
      answers: { 200: ['Server-sent events', { 'text/event-stream': SERVER_SENT_EVENT }] },
      steps: ['finds a job', 'streams'],
    },
  },
  '/status/{id}': {
    get: {
      summary: 'State of a job, in short',
      tag: 'jobs',
      answers: { 200: ['Its state', json(ref('Status'))] },
      steps: ['finds a job'],
    },
  },
  '/processed/{name}': {
    get: {
      summary: 'A result by its name',
      tag: 'jobs',
      answers: { 200: ANY_RESULT, ...PARTS },
      steps: ['finds a job', 'reads a result', 'sends a file', 'finds a name'],
    },
  },
  '/models': {
    get: {
      summary: 'Known models: which are installed, verified, being downloaded',
      tag: 'service',
      answers: { 200: ['Models', json(ref('Models'))] },
      steps: ['lists models'],
    },
    post: {
      summary: 'Add a checkpoint, if allowed (ALLOW_MODEL_UPLOAD)',
      tag: 'service',
      body: {
        'multipart/form-data': required({ type: 'object', properties: { file: MODEL_FILE } }, 'file'),
      },
      answers: { 201: ['The model, as GET /models lists it', json(ref('Model'))] },
      steps: ['changes something', 'reads a body', 'takes a model'],
    },
  },
  '/models/{name}/download': {
    post: {
      summary: METHODS.download.summary,
      tag: 'service',
      query: downloadQuery,
      headers: SUBMITTING,
      answers: { 200: JOB, 202: ACCEPTED },
      steps: ['changes something', 'reads parameters', 'submits a job', 'does the work', 'fetches a model'],
    },
  },
  ...ARCHIVE_OPERATIONS,
  ...GATEWAY_OPERATIONS,
  ...A1111_OPERATIONS,
  '/metrics': {
    get: {
      summary: 'Metrics for Prometheus',
      tag: 'service',
      answers: { 200: ['Metrics', { 'text/plain': TEXT }] },
    },
  },
  '/health/live': { get: healthOperation('Whether the process is alive') },
  '/health/ready': { get: healthOperation('Whether jobs are accepted', ['tells whether it is ready']) },
  '/openapi.json': {
    get: {
      summary: 'This document',
      tag: 'service',
      isOpen: true,
      answers: { 200: ['OpenAPI 3.1', json({ type: 'object' })] },
    },
  },
  '/docs': { get: { summary: 'This document as a page', tag: 'service', isOpen: true, answers: { 200: PAGE } } },
  '/redoc': { get: { summary: 'The same, in Redoc', tag: 'service', isOpen: true, answers: { 200: PAGE } } },
};

function healthOperation(summary: string, steps: readonly Step[] = []): Operation {
  return { summary, tag: 'service', isOpen: true, answers: { 200: ['Yes', json(ref('Health'))] }, steps };
}

/** What an operation answers where it cannot do what was asked, by status. */
export function errorAnswers({
  tag,
  isOpen = false,
  steps = [],
  errors,
}: Operation): Readonly<Record<string, JsonSchema>> {
  if (tag === 'a1111') return A1111_ERRORS;
  return problemAnswers(['answers', ...(isOpen ? [] : (['knows its caller'] as const)), ...steps], errors);
}
