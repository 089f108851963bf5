import { createHash } from 'node:crypto';
import type { Request } from 'express';
import type { Idempotency, JobRequest } from '../jobs/job.ts';
import type { Admission } from '../jobs/job-queue.ts';
import { BadFieldError } from './errors.ts';

/** What a caller may name a request by; without the quotes that the header's draft asks for and few send. */
export function idempotencyKeyOf(request: Request): string | undefined {
  const header = request.get('Idempotency-Key');
  if (header === undefined) return undefined;
  const key = /^\s*"(.*)"\s*$/.exec(header)?.[1] ?? header.trim();
  if (!/^[\x20-\x7e]{1,255}$/.test(key)) {
    throw new BadFieldError('Idempotency-Key', 'expected 1 to 255 printable ASCII characters', key);
  }
  return key;
}

/** A request as the queue is asked whether it may come in. */
export function admissionOf(caller: string, idempotencyKey: string | undefined): Admission {
  return idempotencyKey === undefined ? { caller } : { caller, idempotencyKey };
}

/** A key with a digest of what was asked: the images' own digests and every option. */
export function idempotency(
  key: string,
  asked: Pick<JobRequest, 'method' | 'work' | 'output' | 'webhookUrl'> & { readonly images: readonly string[] },
): Idempotency {
  const { method, images, work, output, webhookUrl } = asked;
  const fingerprint = createHash('sha256')
    .update(JSON.stringify([method, images, work, output, webhookUrl]))
    .digest('hex');
  return { key, fingerprint };
}
