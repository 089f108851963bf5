import { mkdtemp, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Fault } from '../../errors.ts';
import { HiresFixError } from '../../errors.ts';
import { FileExistsError } from '../../processing/errors.ts';
import { extensionOf } from '../../options/output-formats.ts';
import type { Stage, WorkProgress } from '../../processing/progress.ts';
import type { ImageResult } from '../../processing/result.ts';
import type { ImagesTask, TaskImage } from '../../processing/tasks.ts';
import { CancelledError } from '../../worker/errors.ts';
import type { TaskHooks } from '../../worker/worker-pool.ts';
import { ServerProblemError } from '../errors.ts';
import { followJob } from './follow-job.ts';
import type { RemoteJob, RemoteResult } from './remote-job.ts';
import type { RemoteCall, RemoteService } from './remote-service.ts';

/** The images of a task, and what a service is asked to do with each of them. */
export interface RemoteTask {
  readonly task: ImagesTask;
  readonly call: RemoteCall;
}

/** After which the next image may do better: each is a job of its own, for which the service has tried what it could. */
const FAULTS_OF_ONE_IMAGE: readonly Fault[] = ['image', 'machine'];

interface Followed {
  readonly signal: AbortSignal;
  readonly onProgress: (job: RemoteJob) => void;
}

/**
 * Has a service work on a task's images, one job after another; results are put where a worker would write them here.
 * @throws ServerUnreachableError; ServerProblemError for what is wrong with the task; CancelledError
 */
export async function runRemotely(service: RemoteService, remote: RemoteTask, hooks: TaskHooks): Promise<void> {
  const signal = hooks.signal ?? new AbortController().signal;
  const { images } = remote.task;
  for (const [index, image] of images.entries()) {
    const onProgress = (job: RemoteJob): void => hooks.onProgress?.(workProgress(job, index, images.length));
    try {
      const result = await makeImage(service, { ...remote, image }, { signal, onProgress });
      hooks.onResult?.({ index, ...result });
    } catch (error) {
      if (signal.aborted) throw new CancelledError('the task was cancelled', { cause: error });
      const failure = error instanceof ServerProblemError ? named(error, image) : error;
      if (!(failure instanceof HiresFixError) || !FAULTS_OF_ONE_IMAGE.includes(failure.fault)) throw failure;
      if (!hooks.onImageFailed) throw failure;
      hooks.onImageFailed(index, failure);
    }
  }
}

async function makeImage(
  service: RemoteService,
  { task, call, image }: RemoteTask & { readonly image: TaskImage },
  followed: Followed,
): Promise<Omit<ImageResult, 'index'>> {
  const { signal } = followed;
  const upload = { bytes: await readFile(image.file), name: basename(image.file) };
  const id = await service.submit(call, upload, signal);
  try {
    const { bytes, info, sha256 } = await resultOf(service, id, followed);
    const extension = info.format === 'json' ? 'json' : extensionOf(info.format);
    const file = image.outputFile ?? `${image.outputStem}.${extension}`;
    if (task.mayOverwrite !== true && (await stat(file).catch(() => undefined))) {
      throw new FileExistsError(`${file}: there is such a file already; choose another name, or ask to overwrite`);
    }
    await inPlace(file, (partial) => service.download(id, partial, { sha256 }, signal));
    return { file, bytes, info };
  } catch (error) {
    if (signal.aborted) await service.cancel(id).catch(() => undefined); // it may have ended, or the service be gone
    throw error;
  }
}

/** The result of a job when it has completed. */
async function resultOf(service: RemoteService, id: string, { signal, onProgress }: Followed): Promise<RemoteResult> {
  for await (const job of followJob(service, id, signal)) {
    onProgress(job);
    const [result] = job.results;
    if (job.status === 'completed' && result) return result;
    if (job.status === 'cancelled') throw new ServerProblemError('ERR_CANCELLED', `job ${id} was cancelled`);
    if (job.status === 'failed') throw new ServerProblemError(job.code ?? 'ERR_INTERNAL', job.error ?? 'it failed');
  }
  throw new ServerProblemError('ERR_INTERNAL', `job ${id} completed without a result`);
}

/** Writes beside `file` first, so that what is at `file` is always whole. */
async function inPlace(file: string, write: (partial: string) => Promise<void>): Promise<void> {
  const scratch = await mkdtemp(join(dirname(file), '.hiresfix-'));
  try {
    const partial = join(scratch, 'result');
    await write(partial);
    await rename(partial, file);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** A problem with the file's name as it is known here; the service knows its last part at most. */
function named(problem: ServerProblemError, { file }: TaskImage): ServerProblemError {
  if (!FAULTS_OF_ONE_IMAGE.includes(problem.fault)) return problem;
  const { code, message } = problem;
  const prefix = `${basename(file)}: `;
  return new ServerProblemError(
    code,
    `${file}: ${message.startsWith(prefix) ? message.slice(prefix.length) : message}`,
  );
}

function workProgress(job: RemoteJob, index: number, images: number): WorkProgress {
  const { stage, progress, stage_progress, tile, tiles, downloaded_bytes, total_bytes } = job;
  return {
    stage: stage as Stage,
    progress: (index + progress) / images,
    stageProgress: stage_progress,
    image: index + 1,
    images,
    ...(typeof tile === 'number' && { tile }),
    ...(typeof tiles === 'number' && { tiles }),
    ...(typeof downloaded_bytes === 'number' && { downloadedBytes: downloaded_bytes }),
    ...(typeof total_bytes === 'number' && { totalBytes: total_bytes }),
  };
}
