import type { ErrorRequestHandler, Response } from 'express';
import type { ServerFolders } from '../../files/without-paths.ts';
import type { JobError } from '../../jobs/job.ts';
import { problemHandler, statusOf } from '../problem.ts';

/** What kinds of errors clients of OpenAI-like gateways tell apart, by the status; the rest is a mistake in the request. */
const TYPES: Readonly<Record<number, string>> = { 401: 'authentication_error', 429: 'rate_limit_error' };

/** The last handler of the gateways' routes: errors as `{"error": {...}}`, as OpenAI-like gateways have them. */
export function gatewayErrors(folders: ServerFolders): ErrorRequestHandler {
  return problemHandler(folders, sendGatewayError);
}

/** Answers by `{"error": {"message", "type", "code"}}`; `code` is one of docs/errors.md. */
export function sendGatewayError(
  response: Response,
  { code, message }: JobError,
  status: number = statusOf(code),
): void {
  const type = TYPES[status] ?? (status >= 500 ? 'server_error' : 'invalid_request_error');
  response.removeHeader('ETag');
  response
    .status(status)
    .set('Cache-Control', 'no-store')
    .json({ error: { message, type, param: null, code } });
}
