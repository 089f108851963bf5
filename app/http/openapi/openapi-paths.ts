import { z } from 'zod';
import type { JsonSchema } from './openapi-schema.ts';
import { required, schemaOf } from './openapi-schema.ts';
import { hiresFixBody, hiresFixConfig } from '../routes/hires-fix-route.ts';
import { jobsPage } from '../routes/jobs-route.ts';
import { downloadQuery } from '../routes/models-route.ts';
import type { ImageMethod } from '../../options/methods.ts';
import { IMAGE_METHODS, METHODS } from '../../options/methods.ts';
import { IMAGE_PARTS, otherNames } from '../../options/other-names.ts';
import { webhookUrl } from '../webhook-field.ts';

/** What an answer means, and its media types. */
type Answer = readonly [string, Readonly<Record<string, JsonSchema>>];

/** What a route answers and takes; statuses of problems beside it are the same everywhere. */
export interface Operation {
  readonly summary: string;
  readonly tag: 'images' | 'jobs' | 'service';
  readonly query?: z.ZodObject;
  readonly headers?: readonly string[];
  readonly body?: Readonly<Record<string, JsonSchema>>;
  readonly answers: Readonly<Record<number, Answer>>;
  /** Whether it is open to callers without a key. */
  readonly isOpen?: boolean;
}

const BYTES: JsonSchema = { type: 'string', format: 'binary' };
const PART_NAMES = `The part may also be called ${IMAGE_PARTS.filter((name) => name !== 'file' && name !== 'files').join(', ')}`;
const ref = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` });
const json = (schema: JsonSchema): Readonly<Record<string, JsonSchema>> => ({ 'application/json': schema });
const IMAGE = { 'image/*': BYTES };
const ACCEPTED = ['Accepted; `Location` says where to ask', json(ref('Accepted'))] as const;
const JOB = ['The job as it stands', json(ref('Job'))] as const;
const PAGE = ['A page', { 'text/html': { type: 'string' } }] as const;
const SUBMITTING = ['Idempotency-Key', 'Prefer'];

/** What a method's own route answers where all is well, but for methods whose answer is a job. */
const ANSWERS: Readonly<Record<Exclude<ImageMethod['answer'], 'job'>, Answer>> = {
  image: ['The result', IMAGE],
  faces: ['The faces', json(ref('Faces'))],
};

/** `POST /{method}` of every method that takes images. */
function imageOperations(): Readonly<Record<string, { readonly post: Operation }>> {
  const operations = [...IMAGE_METHODS].map(([name, method]) => {
    const { answer, form, summary } = method;
    const post = answer === 'job' ? jobOperation(form, summary) : imageOperation(form, summary, ANSWERS[answer]);
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
  };
}

/** `POST` of images that are answered later. */
function jobOperation(form: z.ZodObject, summary: string, ...names: readonly string[]): Operation {
  const files = { files: { type: 'array', items: BYTES, minItems: 1, description: PART_NAMES } };
  const schema = formOf(z.object({ ...withOtherNames(form).shape, webhook_url: webhookUrl }), files);
  const body = { 'multipart/form-data': required(schema, 'files', ...names) };
  return { summary, tag: 'jobs', headers: ['Idempotency-Key'], body, answers: { 202: ACCEPTED } };
}

function formOf(schema: z.ZodObject, files: JsonSchema): JsonSchema {
  const json = schemaOf(schema);
  return { ...json, properties: { ...files, ...(json['properties'] as JsonSchema) } };
}

/** A form with what its fields may also be called. */
function withOtherNames(form: z.ZodObject): z.ZodObject {
  const others = [...otherNames((name) => Object.hasOwn(form.shape, name))].map(([name, field]) => {
    const kind = form.shape[field] as z.ZodType;
    const bare = kind instanceof z.ZodDefault ? (kind.unwrap() as z.ZodType) : kind;
    return [name, bare.optional().describe(`Another name of ${field}; where both come they must not differ`)] as const;
  });
  return z.object({ ...form.shape, ...Object.fromEntries(others) });
}

const anyMethod = z.object({
  ...Object.assign({}, ...[...IMAGE_METHODS.values()].map(({ form }) => form.shape)),
  method: z.enum([...IMAGE_METHODS.keys()]).describe('What is done; the other fields are those of its route'),
} as z.ZodRawShape);

/** Every route of the service, by path and method. A test holds this equal to the routes that are there. */
export const OPERATIONS: Readonly<Record<string, Readonly<Partial<Record<'get' | 'post' | 'delete', Operation>>>>> = {
  ...imageOperations(),
  '/hires-fix': {
    post: {
      summary: METHODS['hires-fix'].summary,
      tag: 'images',
      headers: SUBMITTING,
      body: json(
        required(schemaOf(hiresFixBody.extend({ config: withOtherNames(hiresFixConfig).optional() })), 'images'),
      ),
      answers: { 200: ['The results, and what was done', json(ref('HiresFixResult'))], 202: ACCEPTED },
    },
  },
  '/jobs': {
    post: jobOperation(anyMethod, 'Any method as a job', 'method'),
    get: {
      summary: "The caller's jobs, newest first",
      tag: 'jobs',
      query: jobsPage,
      answers: { 200: ['A page of jobs', json(ref('JobPage'))] },
    },
  },
  '/jobs/{id}': {
    get: { summary: 'A job', tag: 'jobs', answers: { 200: JOB } },
    delete: { summary: 'Cancel a job', tag: 'jobs', answers: { 200: JOB } },
  },
  '/jobs/{id}/results/{number}': {
    get: { summary: 'A result of a job', tag: 'jobs', answers: { 200: ['The result', IMAGE] } },
  },
  '/jobs/{id}/events': {
    get: {
      summary: 'The events of a job, as they happen',
      tag: 'jobs',
      answers: { 200: ['Server-sent events', { 'text/event-stream': { type: 'string' } }] },
    },
  },
  '/status/{id}': {
    get: { summary: 'How a job stands, in short', tag: 'jobs', answers: { 200: ['Its state', json(ref('Status'))] } },
  },
  '/processed/{name}': {
    get: { summary: 'A result by its name', tag: 'jobs', answers: { 200: ['The result', IMAGE] } },
  },
  '/models': {
    get: {
      summary: 'Models that are known, installed, verified, being downloaded',
      tag: 'service',
      answers: { 200: ['Models', json(ref('Models'))] },
    },
  },
  '/models/{name}/download': {
    post: {
      summary: METHODS.download.summary,
      tag: 'service',
      query: downloadQuery,
      headers: SUBMITTING,
      answers: { 200: JOB, 202: ACCEPTED },
    },
  },
  '/metrics': {
    get: {
      summary: 'Figures for Prometheus',
      tag: 'service',
      answers: { 200: ['Figures', { 'text/plain': { type: 'string' } }] },
    },
  },
  '/health/live': { get: healthOperation('Whether the process answers') },
  '/health/ready': { get: healthOperation('Whether jobs are taken') },
  '/openapi.json': {
    get: {
      summary: 'This document',
      tag: 'service',
      isOpen: true,
      answers: { 200: ['OpenAPI 3.1', json({ type: 'object' })] },
    },
  },
  '/docs': { get: { summary: 'This document for people', tag: 'service', isOpen: true, answers: { 200: PAGE } } },
  '/redoc': { get: { summary: 'The same', tag: 'service', isOpen: true, answers: { 200: PAGE } } },
};

function healthOperation(summary: string): Operation {
  return { summary, tag: 'service', isOpen: true, answers: { 200: ['It does', json(ref('Health'))] } };
}
