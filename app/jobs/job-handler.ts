import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { HiresFixError } from '../errors.ts';
import type { ImageResult } from '../processing/result.ts';
import { WorkerCrashedError } from '../worker/errors.ts';
import type { Task } from '../worker/protocol.ts';
import type { WorkerPool } from '../worker/worker-pool.ts';
import type { Job, JobHandler, JobHooks, JobResult } from './job.ts';
import type { JobFiles } from './job-files.ts';

/**
 * How a job is run: as one task of a worker process. An image that fails does not end a batch, unless its caller wants all
 * images or none (`hires-fix`), or it is the last that was left.
 */
export function createJobHandler(pool: Pick<WorkerPool, 'run'>, files: JobFiles): JobHandler {
  return async (job, hooks) => {
    await files.createResultFolder(job);
    const failed: HiresFixError[] = [];
    const results = await pool.run(taskOf(job, files), {
      signal: hooks.signal,
      onProgress: (progress) => hooks.onProgress(progress),
      ...(isPerImage(job) && { onImageFailed: (index, error) => failed.push(imageFailed(index, error, hooks)) }),
    });
    const [first] = failed;
    if (first && results.length === 0) throw first;
    return Promise.all(results.map(withDigest));
  };
}

function isPerImage({ method, inputs }: Job): boolean {
  return method !== 'hires-fix' && inputs.length > 1;
}

/** A worker that died over an image may have died of something else: while it may be tried again the job is. */
function imageFailed(index: number, error: HiresFixError, { mayRetry, onImageFailed }: JobHooks): HiresFixError {
  if (error instanceof WorkerCrashedError && mayRetry) throw error;
  onImageFailed({ index, code: error.code, message: error.message });
  return error;
}

function taskOf(job: Job, files: JobFiles): Task {
  return {
    ...job.work,
    images: job.inputs.map(({ file, name }, index) => ({ file, name, outputStem: files.resultStem(job, index) })),
    output: job.output,
  };
}

async function withDigest(result: ImageResult): Promise<JobResult> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(result.file), hash);
  return { ...result, sha256: hash.digest('hex') };
}
