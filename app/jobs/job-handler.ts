import type { HiresFixError } from '../errors.ts';
import { METHODS } from '../options/methods.ts';
import type { ImageResult } from '../processing/result.ts';
import type { DownloadTask, TaskImage } from '../processing/tasks.ts';
import { WorkerCrashedError } from '../worker/errors.ts';
import type { WorkerPool } from '../worker/worker-pool.ts';
import { sha256OfFile } from '../files/file-hash.ts';
import type { ImageWork, Job, JobHandler, JobHooks, JobResult } from './job.ts';
import { workOn } from './job.ts';
import type { JobFiles } from './job-files.ts';
import type { ResultCache } from './result-cache.ts';

/**
 * How a job is run: a download is a task of a worker process. Of images, those that were made before come out of the cache, the
 * others are one task. An image that fails does not end a batch, unless its caller wants all images or none (`hires-fix`), or it is
 * the last that was left.
 */
export function createJobHandler(pool: Pick<WorkerPool, 'run'>, files: JobFiles, cache: ResultCache): JobHandler {
  return async (job, hooks) => {
    const { work } = job;
    if (work.kind === 'download') return download(work, hooks, pool);
    await files.createResultFolder(job);
    const keys = await Promise.all(
      job.inputs.map((input, index) => cache.keyOf({ ...job, work: workOn(work, [index]) }, input)),
    );
    const cached: JobResult[] = [];
    for (const [index, key] of keys.entries()) {
      const found = key === undefined ? undefined : await cache.take(key, files.resultStem(job, index));
      if (found) cached.push({ ...found, index });
    }
    const made = await makeOthers(job, hooks, { work, pool, files, cached });
    for (const result of made) {
      const key = keys[result.index];
      if (key !== undefined) await cache.put(key, result);
    }
    return [...cached, ...made].sort((a, b) => a.index - b.index);
  };
}

/** Has no images, also in what it tells. */
async function download(work: DownloadTask, hooks: JobHooks, pool: Pick<WorkerPool, 'run'>): Promise<readonly []> {
  await pool.run(work, {
    signal: hooks.signal,
    onProgress: (progress) => hooks.onProgress({ ...progress, image: 0, images: 0 }),
  });
  return [];
}

interface Work {
  readonly work: ImageWork;
  readonly pool: Pick<WorkerPool, 'run'>;
  readonly files: JobFiles;
  readonly cached: readonly JobResult[];
}

/** Makes the images that are not `cached`. Throws the first failure where no image of the job succeeded. */
async function makeOthers(
  job: Job,
  hooks: JobHooks,
  { work, pool, files, cached }: Work,
): Promise<readonly JobResult[]> {
  const isCached = new Set(cached.map(({ index }) => index));
  const indices = job.inputs.map((_, index) => index).filter((index) => !isCached.has(index));
  if (indices.length === 0) return [];
  const inJob = (index: number): number => indices[index] ?? index;
  const failed: HiresFixError[] = [];
  const results = await pool.run(
    { ...workOn(work, indices), output: job.output, images: imagesOf(job, files, indices) },
    {
      signal: hooks.signal,
      onProgress: (progress) => {
        const done = isCached.size + progress.progress * indices.length;
        const images = job.inputs.length;
        hooks.onProgress({ ...progress, image: inJob(progress.image - 1) + 1, images, progress: done / images });
      },
      ...(isPerImage(job) && {
        onImageFailed: (index, error) => failed.push(imageFailed(inJob(index), error, { ...hooks, files })),
      }),
    },
  );
  const [first] = failed;
  if (first && results.length + cached.length === 0) throw first;
  return Promise.all(
    results.map((result) => withDigest(withoutPaths({ ...result, index: inJob(result.index) }, files))),
  );
}

function isPerImage({ method, inputs }: Job): boolean {
  return !METHODS[method].isAllOrNothing && inputs.length > 1;
}

/** A worker that died over an image may have died of something else: while it may be tried again the job is. */
function imageFailed(
  index: number,
  error: HiresFixError,
  { mayRetry, onImageFailed, files }: JobHooks & { readonly files: JobFiles },
): HiresFixError {
  if (error instanceof WorkerCrashedError && mayRetry) throw error;
  onImageFailed({ index, code: error.code, message: files.withoutPaths(error.message) }, error);
  return error;
}

function imagesOf(job: Job, files: JobFiles, indices: readonly number[]): readonly TaskImage[] {
  return indices.flatMap((index) => {
    const input = job.inputs[index];
    if (!input) return [];
    const isWhole = job.work.kind !== 'preview'; // whoever asked for a part does not look at the rest
    const sketch = isWhole && { sketchFile: files.sketch(job, index) };
    return [{ file: input.file, name: input.name, outputStem: files.resultStem(job, index), ...sketch }];
  });
}

/** What a result tells of itself, without where its server keeps what. */
function withoutPaths(result: ImageResult, files: JobFiles): ImageResult {
  const fallbacks = result.info.fallbacks.map((one) => ({ ...one, reason: files.withoutPaths(one.reason) }));
  const warnings = result.info.warnings.map((warning) => files.withoutPaths(warning));
  return { ...result, info: { ...result.info, fallbacks, warnings } };
}

async function withDigest(result: ImageResult): Promise<JobResult> {
  return { ...result, sha256: await sha256OfFile(result.file) };
}
