import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { ImageResult } from '../processing/result.ts';
import type { Task } from '../worker/protocol.ts';
import type { WorkerPool } from '../worker/worker-pool.ts';
import type { Job, JobHandler, JobResult } from './job.ts';
import type { JobFiles } from './job-files.ts';

/** How a job is run: as one task of a worker process. */
export function createJobHandler(pool: Pick<WorkerPool, 'run'>, files: JobFiles): JobHandler {
  return async (job, hooks) => {
    await files.createResultFolder(job.id);
    const results = await pool.run(taskOf(job, files), hooks);
    return Promise.all(results.map(withDigest));
  };
}

function taskOf(job: Job, files: JobFiles): Task {
  return {
    kind: 'hires-fix',
    images: job.inputs.map(({ file, name }, index) => ({ file, name, outputStem: files.resultStem(job.id, index) })),
    options: job.options,
    output: job.output,
  };
}

async function withDigest(result: ImageResult): Promise<JobResult> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(result.file), hash);
  return { ...result, sha256: hash.digest('hex') };
}
