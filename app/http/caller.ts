import type { Response } from 'express';
import { ANYONE } from '../jobs/job.ts';

/** Who sent the request that is being answered. Without keys all callers are one. */
export function callerOf(response: Response): string {
  const caller: unknown = response.locals['caller'];
  return typeof caller === 'string' ? caller : ANYONE;
}

/** The id of the request that is being answered, by which its lines in the log are found. */
export function requestIdOf(response: Response): string {
  return response.get('X-Request-Id') ?? '';
}
