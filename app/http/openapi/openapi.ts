import { z } from 'zod';
import { A1111_SCHEMAS } from './a1111-operations.ts';
import { errorAnswers, OPERATIONS } from './openapi-paths.ts';
import type { Operation } from './operation.ts';
import { REQUEST_HEADERS } from './operation.ts';
import type { JsonSchema } from './openapi-schema.ts';
import { answerSchemaOf, fieldsOf } from './openapi-schema.ts';
import { STATUS_OF_CODE } from '../problem.ts';

const JOB_STATUS = z.enum(['queued', 'processing', 'completed', 'failed', 'cancelled']);
const info = z.looseObject({}).describe('What was done: upscaler, sizes, tiles, device, fallbacks, seconds per stage');
const result = z.looseObject({ original_filename: z.string(), url: z.string().describe('Relative to the server') });
const share = z.number().min(0).max(1);
const count = z.int().min(0);
const time = z.iso.datetime();
const imageState = z.object({
  original_filename: z.string(),
  status: JOB_STATUS,
  error: z.string().nullable(),
  code: z.string().nullable(),
});
const job = z.looseObject({
  job_id: z.string(),
  method: z.string(),
  model: z.string().nullable().describe('The model, if the job is a download'),
  status: JOB_STATUS,
  stage: z.string(),
  progress: share.describe('Progress of the whole job; never decreases'),
  stage_progress: share,
  tile: count.nullable().describe('Finished tiles'),
  tiles: count.nullable(),
  image: count.describe('Number of the image in progress, from 1'),
  images: count,
  downloaded_bytes: count.nullable(),
  total_bytes: count.nullable(),
  queue_position: count,
  eta_seconds: z.number().nullable(),
  created_at: time,
  started_at: time.nullable(),
  finished_at: time.nullable(),
  warnings: z.array(z.string()),
  image_states: z.array(imageState).describe('State of each image'),
  results: z.array(result.extend({ index: z.int(), bytes: z.int(), sha256: z.string(), info })),
  error: z.string().nullable(),
  code: z.string().nullable(),
});

const bytes = z.int().min(0);
const model = z.looseObject({
  name: z.string(),
  kind: z.enum(['official', 'bundled', 'user']),
  filename: z.string(),
  installed: z.boolean(),
  verified: z
    .boolean()
    .nullable()
    .describe('True: downloaded and checked; false: placed by hand; null: neither applies'),
  size: bytes.nullable().describe('In bytes'),
  scale: z.number().nullable(),
  architecture: z.string().nullable().describe('Family of its network; ONNX for an ONNX file'),
  input_channels: z.int().nullable(),
  output_channels: z.int().nullable(),
  licence: z.string().nullable(),
  non_commercial: z.boolean().nullable().describe('Whether the licence forbids commercial use'),
  asked_by_name: z.boolean().describe('Whether requests name it like this, as it has no name of the service’s own'),
  purpose: z.string().nullable(),
  downloading: z
    .object({ downloaded_bytes: bytes, total_bytes: bytes.nullable() })
    .nullable()
    .describe('Set while some process downloads it'),
  problem: z.string().nullable().describe('Why the file cannot be used, if so'),
});

const face = z.object({
  index: z.int().min(0).describe('Its number, for `faces` of POST /face'),
  box: z.array(z.number()).length(4).describe('Left, top, right, bottom, in pixels; may extend beyond the image'),
  landmarks: z
    .array(z.array(z.number()).length(2))
    .length(5)
    .describe('Left eye, right eye, nose, left and right corner of the mouth, left and right as seen in the image'),
  score: z.number().min(0).max(1).describe('Confidence of the detector'),
  size: z.number().describe('The shorter side of the box, which min_face_size is compared with'),
});

const EXAMPLE_JOB = '0123456789abcdef0123456789abcdef';

const EXAMPLE_PROBLEM = {
  type: 'urn:hiresfix:error:bad-parameter',
  title: 'Bad parameter',
  status: 400,
  detail: 'scale: must be a number above 0, got "x"',
  instance: '/upscale',
  code: 'ERR_BAD_PARAMETER',
};

/** What is answered. */
const SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  JobId: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .meta({ examples: [EXAMPLE_JOB] }),
  // All of it comes. Were that said, generated clients could not take what is this or an image for bytes without a cast by unknown.
  Accepted: z
    .object({ job_id: z.string(), status: JOB_STATUS, queue_position: count })
    .partial()
    .meta({ examples: [{ job_id: EXAMPLE_JOB, status: 'queued', queue_position: 1 }] }),
  Faces: z.object({ faces: z.array(face).describe('Highest score first'), info }),
  Health: z.object({ status: z.string() }),
  HiresFixResult: z.object({ images: z.array(z.string().describe('base64')), info }),
  Job: job,
  Model: model,
  Models: z.object({
    models: z.array(model),
    takes_models: z.boolean().describe('Whether POST /models is allowed (ALLOW_MODEL_UPLOAD)'),
  }),
  ...A1111_SCHEMAS,
  JobPage: z.object({ jobs: z.array(job), next_cursor: z.string().nullable() }),
  Problem: z
    .object({
      type: z.string(),
      title: z.string(),
      status: z.int(),
      detail: z.string(),
      instance: z.string().optional().describe('The path of the request'),
      code: z.enum(Object.keys(STATUS_OF_CODE)),
      request_id: z.string().optional(),
    })
    .meta({ examples: [EXAMPLE_PROBLEM] }),
  Status: job
    .pick({ status: true, queue_position: true, progress: true, error: true })
    .extend({ results: z.array(result) }),
};

/** The service as an OpenAPI 3.1 document, from the schemas by which requests are read. */
export function openApiDocument(version: string): JsonSchema {
  return {
    openapi: '3.1.0',
    info: {
      title: 'hiresfix',
      version,
      description:
        'Upscales and restores images. Errors are problem documents (RFC 9457). A path called by a method it does not have answers 405 with `Allow`.',
    },
    servers: [{ url: '/' }],
    tags: ['images', 'jobs', 'service', 'a1111'].map((name) => ({ name })),
    paths: Object.fromEntries(
      Object.entries(OPERATIONS).map(([path, methods]) => [
        path,
        Object.fromEntries(Object.entries(methods).map(([method, one]) => [method, operationOf(path, method, one)])),
      ]),
    ),
    components: {
      schemas: Object.fromEntries(Object.entries(SCHEMAS).map(([name, schema]) => [name, answerSchemaOf(schema)])),
      securitySchemes: {
        key: { type: 'apiKey', in: 'header', name: 'X-API-KEY' },
        bearer: { type: 'http', scheme: 'bearer' },
        basic: { type: 'http', scheme: 'basic', description: 'Any user name, with the key as the password' },
      },
    },
    security: [{}, { key: [] }, { bearer: [] }, { basic: [] }],
  };
}

function operationOf(path: string, method: string, operation: Operation): JsonSchema {
  const { summary, tag, query, headers = [], body, answers, isOpen = false } = operation;
  const parameters = [
    ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => pathParameter(name)),
    ...Object.entries(query ? fieldsOf(query) : {}).map(([name, schema]) => ({ name, in: 'query', schema })),
    ...headers.map((name) => ({ name, in: 'header', ...REQUEST_HEADERS[name] })),
  ];
  return {
    operationId: `${method}${path.replace(/[^a-z]+(.?)/gi, (_all, first: string) => first.toUpperCase())}`,
    summary,
    tags: [tag],
    ...(isOpen && { security: [{}] }),
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: { required: true, content: contentOf(body) } }),
    responses: {
      ...Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, answerOf(answer)])),
      ...errorAnswers(operation),
    },
  };
}

function pathParameter(name: string): JsonSchema {
  const schemas: Readonly<Record<string, JsonSchema>> = {
    id: { $ref: '#/components/schemas/JobId' },
    number: { type: 'integer', minimum: 0, maximum: 9999 },
  };
  return { name, in: 'path', required: true, schema: schemas[name] ?? { type: 'string', minLength: 1 } };
}

function answerOf([description, types, headers, links]: Operation['answers'][number]): JsonSchema {
  const content = Object.keys(types).length > 0 && { content: contentOf(types) };
  return { description, ...(headers && { headers }), ...content, ...(links && { links }) };
}

function contentOf(types: Readonly<Record<string, JsonSchema>>): JsonSchema {
  return Object.fromEntries(Object.entries(types).map(([type, schema]) => [type, { schema }]));
}
