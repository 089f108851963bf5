import { pause } from '../../files/pause.ts';
import { TransferFault } from './transfer-fault.ts';

/** How failed attempts are repeated; times in ms. */
export interface RetryPolicy {
  /** Attempts in a row without progress, the first one included. */
  readonly attempts: number;
  readonly shortestMs: number;
  readonly longestMs: number;
  /** A server that asks for a longer wait is given up. */
  readonly longestRetryAfterMs: number;
}

/** A random wait between the shortest and a ceiling that doubles with every failure ("full jitter"). `failures` is from 1. */
export function backoffMs(failures: number, policy: RetryPolicy): number {
  const ceiling = Math.min(policy.longestMs, policy.shortestMs * 2 ** failures);
  return policy.shortestMs + Math.random() * Math.max(0, ceiling - policy.shortestMs);
}

/** A `Retry-After` header (seconds or a date, RFC 9110 10.2.3) as ms from now; undefined where there is none that says anything. */
export function parseRetryAfter(header: string | undefined, nowMs = Date.now()): number | undefined {
  if (header === undefined) return undefined;
  if (/^\s*\d+\s*$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

/**
 * Waits before the next attempt, as long as the server asks or as the policy says. Throws the fault, as one that is not to be
 * retried, where another attempt is no use: after too many `failures` in a row (this one included), or a wait too long.
 */
export async function waitBeforeRetry(
  fault: TransferFault,
  failures: number,
  policy: RetryPolicy,
  signal: AbortSignal,
): Promise<void> {
  const asked = fault.retryAfterMs;
  if (!fault.isRetryable) throw fault;
  if (asked !== undefined && asked > policy.longestRetryAfterMs) {
    throw final(fault, `and asks to come back in ${Math.ceil(asked / 1000)} s`);
  }
  if (failures >= policy.attempts) throw final(fault, `(${failures} attempts)`);
  await pause(asked === undefined ? backoffMs(failures, policy) : asked + Math.random() * policy.shortestMs, signal);
}

function final(fault: TransferFault, remark: string): TransferFault {
  return new TransferFault(fault.reason, `${fault.message} ${remark}`, { cause: fault });
}
