import { basename, dirname } from 'node:path';
import type { Response } from 'express';
import type { Job, JobResult } from '../../jobs/job.ts';
import { setResultHeaders } from '../result-headers.ts';

/**
 * Answers a GET by a result of a job. Ranges and conditional requests are express's to answer; by the ETag that is the content's digest.
 * @param warnings of the request
 */
export function sendResult(
  response: Response,
  job: Job,
  result: JobResult,
  warnings?: readonly string[],
): Promise<void> {
  setResultHeaders(response, job, result, warnings);
  const options = { root: dirname(result.file), dotfiles: 'allow', cacheControl: false, lastModified: false } as const;
  return new Promise((resolve, reject) => {
    response.sendFile(basename(result.file), options, (error?: Error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}
