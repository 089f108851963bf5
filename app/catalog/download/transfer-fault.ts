import { causes, errorCode } from '../../files/error-code.ts';
import type { DownloadFailure } from '../errors.ts';

/** Why one attempt at one source ended. `no-ranges`: the server ignores ranges, so one stream has to do. */
export type FaultReason = DownloadFailure | 'no-ranges';

/** An attempt at a source that failed. Stays inside the catalogue: `ModelDownloader` makes a `DownloadError` of the last. */
export class TransferFault extends Error {
  readonly reason: FaultReason;
  readonly isRetryable: boolean;
  /** How long the server asks us to wait. */
  readonly retryAfterMs: number | undefined;
  readonly status: number | undefined;

  constructor(
    reason: FaultReason,
    message: string,
    options: { isRetryable?: boolean; retryAfterMs?: number | undefined; status?: number; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'TransferFault';
    this.reason = reason;
    this.isRetryable = options.isRetryable ?? false;
    this.retryAfterMs = options.retryAfterMs;
    this.status = options.status;
  }
}

const DISK_FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
const NOT_WRITABLE = new Set(['EROFS', 'EACCES', 'EPERM', 'ENOTDIR']);

/** An error of the file system in our words; undefined for any other error. */
export function diskFault(error: unknown): TransferFault | undefined {
  const code = errorCode(error);
  if (code === undefined) return undefined;
  if (DISK_FULL.has(code)) return new TransferFault('disk-full', `the disk is full (${code})`, { cause: error });
  if (NOT_WRITABLE.has(code))
    return new TransferFault('not-writable', `the folder cannot be written to (${code}); set MODELS_DIR to another`, {
      cause: error,
    });
  if (code === 'EISDIR')
    return new TransferFault('not-writable', 'a folder has the name of the file; move it away', { cause: error });
  return undefined;
}

/** Anything that a request can throw, in our words; what is not from the disk is taken for the network's, to be retried. */
export function asFault(error: unknown): TransferFault {
  // got wraps what a body was destroyed with.
  const fault = causes(error).find((one) => one instanceof TransferFault);
  if (fault) return fault;
  const message = messageOf(error);
  return diskFault(error) ?? new TransferFault('network', message, { isRetryable: true, cause: error });
}

function messageOf(error: unknown): string {
  const { message } = (error ?? {}) as { message?: unknown };
  return typeof message === 'string' ? message : String(error);
}
