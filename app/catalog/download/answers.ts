import type { IncomingHttpHeaders } from 'node:http';
import type { ByteRange } from './byte-ranges.ts';
import type { FileResponse } from './file-client.ts';
import { shown } from './file-client.ts';
import { parseRetryAfter } from './retry.ts';
import { TransferFault } from './transfer-fault.ts';

/** `Content-Range: bytes 0-15/1000` as a range and the size of the whole; undefined where it is anything else. */
export function parseContentRange(header: string | undefined): { range: ByteRange; total: number } | undefined {
  const match = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(header?.trim() ?? '');
  if (!match) return undefined;
  const [first, last, total] = match.slice(1).map(Number) as [number, number, number];
  return first <= last && last < total ? { range: [first, last + 1], total } : undefined;
}

/** The size that a whole (200) answer announces; undefined for a chunked one. */
export function contentLength(headers: IncomingHttpHeaders): number | undefined {
  const length = headers['content-length'];
  return length !== undefined && /^\d+$/.test(length) ? Number(length) : undefined;
}

/**
 * What tells one version of a file from another, and may stand in `If-Range`: a strong ETag, or a Last-Modified that is
 * old enough to be strong (RFC 9110 8.8.2.2); null where there is neither.
 */
export function strongValidator(headers: IncomingHttpHeaders): string | null {
  if (headers.etag?.startsWith('"')) return headers.etag;
  const modified = headers['last-modified'];
  const ageMs = Date.parse(headers.date ?? '') - Date.parse(modified ?? '');
  return modified !== undefined && ageMs >= 1000 ? modified : null;
}

/** Whether an answer is of another version than the one that `validator` stands for; an answer that does not say is not. */
export function isOtherVersion(headers: IncomingHttpHeaders, validator: string | null): boolean {
  if (validator === null) return false;
  const current = validator.startsWith('"') ? headers.etag : headers['last-modified'];
  return current !== undefined && current !== validator;
}

/** Throws for every status but 200 and 206, saying whether and when it is worth another try. */
export function refuseStatus({ status, url, headers }: FileResponse): void {
  if (status === 200 || status === 206) return;
  const retryAfterMs = parseRetryAfter(headers['retry-after']);
  const message = `${shown(url)} answers ${status}`;
  if (status === 429 || status === 503 || (status === 403 && retryAfterMs !== undefined)) {
    throw new TransferFault('busy', `${message} (busy)`, { isRetryable: true, retryAfterMs, status });
  }
  const isRetryable = status === 408 || status === 425 || status >= 500;
  throw new TransferFault('http-status', message, { isRetryable, retryAfterMs, status });
}

/** Throws for what is not the plain bytes of a file: web pages and error messages with a good status, encoded bodies. */
export function refuseBody({ url, headers }: FileResponse): void {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw new TransferFault('not-a-model', `${shown(url)} sends ${encoding}-encoded bytes, which was not asked for`);
  }
  if (isPage(headers)) {
    const type = headers['content-type'] ?? '';
    throw new TransferFault('not-a-model', `${shown(url)} sends ${type} instead of a model file`);
  }
}

/** Whether the body is a text for people or programs, not a file. */
export function isPage(headers: IncomingHttpHeaders): boolean {
  return /^\s*(text\/html|application\/xhtml\+xml|application\/(problem\+)?json|(text|application)\/xml)\b/i.test(
    headers['content-type'] ?? '',
  );
}

/**
 * The range that a ranged request really got: from `start`, up to `end` or less. Throws where the answer is not that:
 * `source-changed`, `no-ranges` for a whole file, `bad-range` for anything else.
 */
export function receivedRange(
  response: FileResponse,
  [start, end]: ByteRange,
  source: { readonly total: number; readonly validator: string | null },
): ByteRange {
  const { status, headers, url } = response;
  if (status === 416) throw new TransferFault('source-changed', `${shown(url)} no longer has byte ${start}`);
  refuseStatus(response);
  if (isOtherVersion(headers, source.validator)) {
    throw new TransferFault('source-changed', `${shown(url)} changed during the download`);
  }
  refuseBody(response);
  if (status === 200) throw new TransferFault('no-ranges', `${shown(url)} ignores ranges`);
  const got = parseContentRange(headers['content-range']);
  if (got?.range[0] === start && got.range[1] <= end && got.total === source.total) return got.range;
  const answer = headers['content-range'] ?? headers['content-type'] ?? 'nothing';
  throw new TransferFault(
    'bad-range',
    `${shown(url)} answers bytes ${start}-${end - 1}/${source.total} with ${answer}`,
  );
}
