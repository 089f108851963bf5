import { readFile } from 'node:fs/promises';
import type { Response } from 'express';
import { z } from 'zod';
import type { Job } from '../../jobs/job.ts';
import { jobWarnings } from '../result-headers.ts';

/** The file that a worker writes. */
const found = z.object({ faces: z.array(z.unknown()) });

/** Answers with the faces that a job has found, and what was done. */
export async function sendFaces(response: Response, job: Job): Promise<void> {
  const [result] = job.results;
  if (!result) throw new Error(`Job ${job.id} completed without a result`);
  const { faces } = found.parse(JSON.parse(await readFile(result.file, 'utf8')));
  const info = { job_id: job.id, ...result.info, warnings: jobWarnings(job, result) };
  response.status(200).set('ETag', `"${result.sha256}"`).json({ faces, info });
}
