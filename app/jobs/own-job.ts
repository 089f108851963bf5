import { JobNotFoundError } from './errors.ts';
import type { Job } from './job.ts';
import type { JobQueue } from './job-queue.ts';

/**
 * A caller's job as it stands.
 * @throws JobNotFoundError also for a job of somebody else: that there is one is not told
 */
export async function ownJob(queue: Pick<JobQueue, 'get'>, id: string, caller: string): Promise<Job> {
  const job = await queue.get(id);
  if (job.caller !== caller) throw new JobNotFoundError(id);
  return job;
}
