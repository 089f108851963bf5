import { STATUS_CODES } from 'node:http';
import type { ErrorRequestHandler, Response } from 'express';
import { TooManyStreamsError, TooManyWrongKeysError } from '../access/errors.ts';
import { HiresFixError, INTERNAL_ERROR, oneLine } from '../errors.ts';
import type { PublicCode } from '../fault-of-code.ts';
import { CallerQueueFullError, NotAcceptingError, QueueFullError, StoreUnavailableError } from '../jobs/errors.ts';
import type { ServerFolders } from '../files/without-paths.ts';
import { withoutPaths } from '../files/without-paths.ts';
import type { JobError } from '../jobs/job.ts';
import type { Logger } from '../logger.ts';
import { withoutStandIns } from './receiving/stand-ins.ts';

const NOT_READY_RETRY_SECONDS = 5;

/** The HTTP status of every code; a code without an entry, or an entry without a code, does not compile. */
export const STATUS_OF_CODE: Readonly<Record<PublicCode, number>> = {
  ERR_ADDRESS_UNUSABLE: 500,
  ERR_BAD_BODY: 400,
  ERR_BAD_CHECKPOINT: 503,
  ERR_BAD_GRAPH: 500,
  ERR_BAD_IMAGE: 400,
  ERR_BAD_JOURNAL: 500,
  ERR_BAD_MODELS_LOCK: 500,
  ERR_BAD_PARAMETER: 400,
  ERR_BAD_REQUEST: 400,
  ERR_BAD_WEIGHTS: 503,
  ERR_CALLER_QUEUE_FULL: 429,
  ERR_CANCELLED: 409,
  ERR_DEVICE_UNAVAILABLE: 400,
  ERR_DOWNLOAD_FAILED: 503,
  ERR_FILE_EXISTS: 409,
  ERR_FILE_TOO_LARGE: 413,
  ERR_FOLDER_UNUSABLE: 500,
  ERR_HOST_NOT_ALLOWED: 403,
  ERR_IDEMPOTENCY_KEY_REUSED: 409,
  ERR_IMAGE_TOO_LARGE: 413,
  ERR_INFERENCE: 500,
  ERR_INTERNAL: 500,
  ERR_JOB_FINISHED: 409,
  ERR_JOB_INTERRUPTED: 500,
  ERR_JOB_NOT_COMPLETED: 409,
  ERR_JOB_NOT_ENDED: 409,
  ERR_JOB_NOT_FOUND: 404,
  ERR_JOB_TIMEOUT: 500,
  ERR_METHOD_NOT_ALLOWED: 405,
  ERR_MODEL_EXISTS: 409,
  ERR_MODEL_REFUSED: 400,
  ERR_MODEL_UNAVAILABLE: 503,
  ERR_MODEL_UPLOAD_OFF: 403,
  ERR_NETWORK_INPUT: 400,
  ERR_NOT_FOUND: 404,
  ERR_NOT_READY: 503,
  ERR_ORIGIN_NOT_ALLOWED: 403,
  ERR_OUTPUT_FORMAT: 400,
  ERR_OUTPUT_TOO_LARGE: 413,
  ERR_PRIVATE_ADDRESS: 400,
  ERR_QUEUE_FULL: 429,
  ERR_RATE_LIMITED: 429,
  ERR_RESULT_NOT_FOUND: 404,
  ERR_SCRATCH_SPACE: 500,
  ERR_SLOW_BODY: 408,
  ERR_STATE_IN_USE: 500,
  ERR_STORE_UNAVAILABLE: 503,
  ERR_TOO_MANY_STREAMS: 429,
  ERR_TOO_MANY_WRONG_KEYS: 429,
  ERR_UNAUTHORIZED: 401,
  ERR_UNKNOWN_MODEL: 404,
  ERR_UNKNOWN_NETWORK: 503,
  ERR_UNKNOWN_UPSCALER: 400,
  ERR_UNSUPPORTED_IMAGE: 415,
  ERR_UNSUPPORTED_MEDIA_TYPE: 415,
  ERR_WORKER_CRASHED: 500,
  ERR_WORK_TOO_LARGE: 400,
};

/** Answers with a problem document (RFC 9457). Headers that were meant for a success are taken back. */
export function sendProblem(response: Response, { code, message }: JobError, status = statusOf(code)): void {
  const title = status === 500 ? INTERNAL_ERROR.message : titleOf(code);
  const body = JSON.stringify({
    type: `urn:hiresfix:error:${code.replace(/^ERR_/, '').toLowerCase().replaceAll('_', '-')}`,
    title,
    status,
    detail: message,
    instance: response.req.originalUrl.split('?')[0],
    code,
    request_id: response.get('X-Request-Id'),
  });
  for (const name of ['ETag', 'Content-Disposition']) response.removeHeader(name);
  response.status(status).type('application/problem+json');
  response.set({ 'Cache-Control': 'no-store', 'Content-Length': String(Buffer.byteLength(body)) }).end(body);
}

/** Writes an error as an answer. `error` is what was thrown, for who wants to know more of it than is told. */
export type SendError = (response: Response, told: JobError, status: number, error: unknown) => void;

/**
 * A last handler: every error becomes a problem document, or what `send` makes of it, and those that are ours to repair are
 * logged.
 */
export function problemHandler(folders: ServerFolders, send: SendError = sendProblem): ErrorRequestHandler {
  // eslint-disable-next-line @typescript-eslint/no-unused-vars -- express knows an error handler by its four parameters
  return (error: unknown, request, response, _next) => {
    const logger = response.locals['logger'] as Logger;
    const hasCallerGone = request.socket.destroyed;
    const { problem, status } = describe(error);
    if (hasCallerGone) logger.info('caller disconnected', { reason: String(error) });
    else if (status >= 500 && !isExpected(error, response)) {
      if (isRefusal(error, status)) logger.warn('request refused', { code: problem.code, reason: String(error) });
      else logger.error('request failed', { code: problem.code, error });
    }
    if (response.headersSent || hasCallerGone) {
      // A cut answer cannot be taken for a whole one. (Express would cut it too, but writes on stderr what it is about.)
      response.destroy();
      return;
    }
    const retryAfter = retryAfterSeconds(error);
    if (retryAfter !== undefined) response.set('Retry-After', String(retryAfter));
    const message = oneLine(withoutPaths(withoutStandIns(problem.message), folders));
    send(response, { code: problem.code, message }, status, error);
  };
}

/** A probe asks whether all is well: that it is not is an answer. A service that starts or stops has said so. */
function isExpected(error: unknown, response: Response): boolean {
  return error instanceof NotAcceptingError || response.locals['isProbe'] === true;
}

/** What the service is not set to do, or has no room for: the message says all of it. What failed on the way has a cause. */
function isRefusal(error: unknown, status: number): boolean {
  return status === 503 && error instanceof HiresFixError && error.cause === undefined;
}

function retryAfterSeconds(error: unknown): number | undefined {
  const known = [QueueFullError, CallerQueueFullError, TooManyWrongKeysError].find((kind) => error instanceof kind);
  if (known) return (error as InstanceType<typeof known>).retryAfterSeconds;
  const passesSoon = [NotAcceptingError, StoreUnavailableError, TooManyStreamsError].some(
    (kind) => error instanceof kind,
  );
  return passesSoon ? NOT_READY_RETRY_SECONDS : undefined;
}

function describe(error: unknown): { readonly problem: JobError; readonly status: number } {
  if (error instanceof HiresFixError) return { problem: error, status: statusOf(error.code) };
  const status = statusByExpress(error);
  if (status === undefined) return { problem: INTERNAL_ERROR, status: 500 };
  const message = EXPRESS_DETAILS.get(status) ?? STATUS_CODES[status] ?? 'Bad request';
  return { problem: { code: 'ERR_BAD_REQUEST', message }, status };
}

/** What is wrong where Express says no more than a status. */
const EXPRESS_DETAILS: ReadonlyMap<number, string> = new Map([
  [
    400,
    'The path cannot be read: each % in it must begin a byte in two hexadecimal digits (%20), and the bytes must be UTF-8',
  ],
  [412, 'The file is not, or no longer, the one that If-Match or If-Unmodified-Since asks for'],
  [416, 'The Range begins beyond the end of the file; Content-Range has its length'],
]);

/** Express and what it is made of mark a caller's mistakes (a malformed path, a range beyond the end) by `status`. */
function statusByExpress(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('status' in error) || typeof error.status !== 'number') return undefined;
  return error.status >= 400 && error.status < 500 ? error.status : undefined;
}

/** The HTTP status of a code, also of one that is not known. */
export function statusOf(code: string): number {
  return (STATUS_OF_CODE as Readonly<Record<string, number>>)[code] ?? 500;
}

function titleOf(code: string): string {
  const words = code.replace(/^ERR_/, '').toLowerCase().replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
