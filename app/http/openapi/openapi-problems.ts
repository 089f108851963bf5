import type { PublicCode } from '../../fault-of-code.ts';
import { STATUS_OF_CODE } from '../problem.ts';
import type { JsonSchema } from './openapi-schema.ts';
import { TEXT } from './openapi-schema.ts';

/** What a route does on which something may fail. */
export type Step =
  | 'answers' // every route
  | 'knows its caller' // routes that are not open
  | 'changes something' // what pages of other origins must not ask for
  | 'reads parameters'
  | 'reads a body'
  | 'submits a job'
  | 'does the work' // waits for a job, and answers by what became of it
  | 'finds a job'
  | 'ends a job'
  | 'finds a result'
  | 'reads a result'
  | 'sends a file' // whole or in ranges, on conditions
  | 'finds a name'
  | 'streams'
  | 'lists models'
  | 'fetches a model'
  | 'takes a model'
  | 'tells whether it is ready';

/** In which steps a code may be told. A code without an entry does not compile; those of none are never answered with. */
const STEPS_OF_CODE: Readonly<Record<PublicCode, readonly Step[]>> = {
  ERR_ADDRESS_UNUSABLE: [],
  ERR_BAD_BODY: ['reads a body'],
  ERR_BAD_CHECKPOINT: ['does the work'],
  ERR_BAD_GRAPH: ['does the work'],
  ERR_BAD_IMAGE: ['does the work'],
  ERR_BAD_JOURNAL: [],
  ERR_BAD_MODELS_LOCK: ['does the work', 'lists models', 'fetches a model', 'takes a model'],
  ERR_BAD_PARAMETER: ['reads parameters', 'reads a body', 'submits a job', 'does the work'],
  ERR_BAD_REQUEST: ['answers'],
  ERR_BAD_WEIGHTS: ['does the work'],
  ERR_CALLER_QUEUE_FULL: ['submits a job'],
  ERR_CANCELLED: ['does the work'],
  ERR_DEVICE_UNAVAILABLE: ['does the work'],
  ERR_DOWNLOAD_FAILED: ['does the work'],
  ERR_FILE_EXISTS: [],
  ERR_FILE_TOO_LARGE: ['reads a body'],
  ERR_FOLDER_UNUSABLE: [],
  ERR_HOST_NOT_ALLOWED: ['answers'],
  ERR_IDEMPOTENCY_KEY_REUSED: ['submits a job'],
  ERR_IMAGE_TOO_LARGE: ['reads a body', 'does the work'],
  ERR_INFERENCE: ['does the work'],
  ERR_INTERNAL: ['answers'],
  ERR_JOB_FINISHED: ['ends a job'],
  ERR_JOB_INTERRUPTED: ['does the work'],
  ERR_JOB_NOT_COMPLETED: ['reads a result'],
  ERR_JOB_NOT_ENDED: ['ends a job'],
  ERR_JOB_NOT_FOUND: ['finds a job'],
  ERR_JOB_TIMEOUT: ['does the work'],
  ERR_METHOD_NOT_ALLOWED: [],
  ERR_MODEL_EXISTS: ['takes a model'],
  ERR_MODEL_REFUSED: ['takes a model'],
  ERR_MODEL_UNAVAILABLE: ['does the work', 'lists models', 'fetches a model', 'takes a model'],
  ERR_MODEL_UPLOAD_OFF: ['takes a model'],
  ERR_NETWORK_INPUT: ['does the work'],
  ERR_NOT_FOUND: ['finds a name'],
  ERR_NOT_READY: ['submits a job', 'finds a job', 'tells whether it is ready'],
  ERR_ORIGIN_NOT_ALLOWED: ['changes something'],
  ERR_OUTPUT_FORMAT: ['does the work'],
  ERR_OUTPUT_TOO_LARGE: ['reads a body', 'does the work'],
  ERR_PRIVATE_ADDRESS: [],
  ERR_QUEUE_FULL: ['submits a job'],
  ERR_RATE_LIMITED: ['knows its caller'],
  ERR_RESULT_NOT_FOUND: ['finds a result', 'reads a result'],
  ERR_SCRATCH_SPACE: ['does the work'],
  ERR_SLOW_BODY: ['reads a body'],
  ERR_STATE_IN_USE: [],
  ERR_STORE_UNAVAILABLE: ['submits a job', 'finds a job', 'reads a result', 'tells whether it is ready'],
  ERR_TOO_MANY_STREAMS: ['streams'],
  ERR_TOO_MANY_WRONG_KEYS: ['knows its caller'],
  ERR_UNAUTHORIZED: ['knows its caller'],
  ERR_UNKNOWN_MODEL: ['does the work', 'fetches a model'],
  ERR_UNKNOWN_NETWORK: ['does the work'],
  ERR_UNKNOWN_UPSCALER: ['does the work'],
  ERR_UNSUPPORTED_IMAGE: ['does the work'],
  ERR_UNSUPPORTED_MEDIA_TYPE: ['reads a body'],
  ERR_WORKER_CRASHED: ['does the work'],
  ERR_WORK_TOO_LARGE: ['reads a body', 'does the work'],
};

const SECONDS: JsonSchema = {
  description: 'Seconds to wait before trying again',
  schema: { type: 'integer', minimum: 0 },
};
/** What a problem of some status says in its header. */
const HEADERS_OF_STATUS: Readonly<Record<string, JsonSchema>> = {
  401: { 'WWW-Authenticate': { description: 'How to authenticate', schema: TEXT } },
  429: { 'Retry-After': SECONDS },
  503: { 'Retry-After': SECONDS },
};

/**
 * The answers of a route that does `steps`, where it cannot do what was asked: each status with the codes it comes with.
 * @param errors what they are, where they are no problem documents
 */
export function problemAnswers(steps: readonly Step[], errors?: JsonSchema): Readonly<Record<string, JsonSchema>> {
  const byStatus = new Map<string, PublicCode[]>();
  for (const [code, of] of Object.entries(STEPS_OF_CODE) as [PublicCode, readonly Step[]][]) {
    if (!of.some((step) => steps.includes(step))) continue;
    const status = String(STATUS_OF_CODE[code]);
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  // By express: an If-Match that does not hold, a range that lies beyond the end.
  if (steps.includes('sends a file')) for (const status of ['412', '416']) byStatus.set(status, ['ERR_BAD_REQUEST']);
  return Object.fromEntries([...byStatus].map(([status, codes]) => [status, problemAnswer(status, codes, errors)]));
}

function problemAnswer(status: string, codes: readonly PublicCode[], errors?: JsonSchema): JsonSchema {
  const schema = {
    allOf: [{ $ref: '#/components/schemas/Problem' }],
    properties: { status: { const: Number(status) }, code: { enum: codes } },
  };
  const headers = HEADERS_OF_STATUS[status];
  return {
    description: codes.join(', '),
    ...(headers && { headers }),
    content: errors ? { 'application/json': { schema: errors } } : { 'application/problem+json': { schema } },
  };
}
