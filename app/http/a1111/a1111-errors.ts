import type { ErrorRequestHandler, Response } from 'express';
import { RouteNotFoundError, BadFieldError } from '../errors.ts';
import { UnauthorizedError } from '../../access/errors.ts';
import type { ServerFolders } from '../../files/without-paths.ts';
import type { JobError } from '../../jobs/job.ts';
import { problemHandler, statusOf } from '../problem.ts';
import { setProcessTime } from './process-time.ts';

/** What the WebUI answers with another status than we do elsewhere: FastAPI's for what does not validate, 500 for no image. */
const STATUSES: Readonly<Record<string, number>> = {
  ERR_BAD_BODY: 422,
  ERR_BAD_IMAGE: 500,
  ERR_BAD_PARAMETER: 422,
  ERR_UNKNOWN_UPSCALER: 422,
  ERR_UNSUPPORTED_IMAGE: 500,
  ERR_UNSUPPORTED_MEDIA_TYPE: 422,
};
/** What the WebUI says of a picture that it cannot open; the reason follows. */
const NO_IMAGE = 'Invalid encoded image';
/** Codes of a body that does not validate. */
const VALIDATION = new Set(['ERR_BAD_BODY', 'ERR_BAD_PARAMETER', 'ERR_UNSUPPORTED_MEDIA_TYPE']);

/** The last handler of the A1111 routes: errors in the words that its clients know. */
export function a1111Errors(folders: ServerFolders): ErrorRequestHandler {
  return problemHandler(folders, (response, told, _status, error) => sendA1111Error(response, told, error));
}

/**
 * Answers by FastAPI's `{"detail": [{"loc", "msg", "type"}]}` for a body that does not validate, by `{"detail"}` where FastAPI
 * itself refuses, else by the WebUI's `{"error", "detail", "body", "errors"}`.
 * @param error what was thrown, where something was
 */
export function sendA1111Error(response: Response, { code, message }: JobError, error?: unknown): void {
  const status = STATUSES[code] ?? statusOf(code);
  setProcessTime(response);
  response.removeHeader('ETag');
  response.status(status).set('Cache-Control', 'no-store').json(bodyOf({ code, message }, error));
}

function bodyOf({ code, message }: JobError, error: unknown): unknown {
  if (error instanceof RouteNotFoundError) return { detail: 'Not Found' };
  if (statusOf(code) === 405) return { detail: 'Method Not Allowed' };
  if (error instanceof UnauthorizedError) return { detail: message };
  if (VALIDATION.has(code)) {
    const field = error instanceof BadFieldError ? error.field : undefined;
    const loc = field === undefined ? ['body'] : ['body', ...placeOf(field)];
    return { detail: [{ loc, msg: message, type: 'value_error' }] };
  }
  const isImage = STATUSES[code] === 500;
  return { error: 'HTTPException', detail: isImage ? `${NO_IMAGE}: ${message}` : message, body: '', errors: message };
}

/** `['imageList', 2, 'data']` for `imageList[2].data`. */
function placeOf(field: string): (string | number)[] {
  const parts = field.split(/[[\].]+/).filter((part) => part !== '');
  return parts.map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}
