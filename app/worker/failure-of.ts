import { HiresFixError, INTERNAL_ERROR } from '../errors.ts';
import { errorCode } from '../files/error-code.ts';
import { InferenceError } from '../inference/errors.ts';
import type { RunningOn } from '../processing/result.ts';
import type { Failure } from './protocol.ts';

/** System error codes that mean that files cannot be written, whichever library tried. */
const WRITE_FAULTS = new Set([
  ...['ENOSPC', 'EDQUOT', 'EFBIG', 'EROFS', 'EACCES', 'EPERM', 'EIO', 'EMFILE', 'ENFILE'],
  ...['ENAMETOOLONG', 'ENOTDIR', 'EXDEV'],
]);

/**
 * An error in the form that a worker reports to the server.
 * @param on where the network ran, if it did; only then can another tile size or device help
 */
export function failureOf(error: unknown, on?: RunningOn): Failure {
  const origin = error instanceof Error ? { stack: stackOf(error) } : {};
  const message = lineOf(error);
  if (error instanceof HiresFixError) {
    const { code, fault } = error;
    const remedy = isOutOfMemory(error) ? 'memory' : 'device';
    return { code, fault, message, ...(fault === 'machine' && on && { remedy }), ...origin };
  }
  if (WRITE_FAULTS.has(errorCode(error) ?? '')) {
    return { code: 'ERR_SCRATCH_SPACE', fault: 'image', message: `files cannot be written: ${message}`, ...origin };
  }
  return { code: INTERNAL_ERROR.code, fault: 'machine', message, ...origin };
}

function isOutOfMemory(error: HiresFixError): boolean {
  return error instanceof InferenceError && error.isOutOfMemory;
}

/** Where an error came from, and what caused it, down to the first cause. */
function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.stack ?? String(error);
  return error.cause === undefined || error.cause === error ? own : `${own}\ncaused by: ${stackOf(error.cause)}`;
}

function lineOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\s*\n\s*/g, ' ').trim();
}
