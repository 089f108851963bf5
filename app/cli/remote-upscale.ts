import { mkdtemp, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { HiresFixError } from '../errors.ts';
import { FileExistsError } from '../processing/errors.ts';
import { extensionOf } from '../processing/output-format.ts';
import type { Stage, WorkProgress } from '../processing/progress.ts';
import type { ImageResult, ResultInfo } from '../processing/result.ts';
import type { HiresFixTask, TaskImage } from '../processing/tasks.ts';
import { CancelledError } from '../worker/errors.ts';
import type { TaskHooks } from '../worker/worker-pool.ts';
import { ServerProblemError, ServerUnreachableError } from './errors.ts';
import type { RemoteJob, RemoteService } from './remote-service.ts';

/** What is asked, as a task and as the fields of `POST /upscale`. */
export interface RemoteTask {
  readonly task: HiresFixTask;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** How often a job is looked at; a service that cannot be reached for so many looks is gone. */
const LOOK_MS = 250;
const MAX_FAILED_LOOKS = 20;

/** Problems of one image, after which the others go on. */
const IMAGE_CODES = new Set([
  'ERR_BAD_IMAGE',
  'ERR_FILE_EXISTS',
  'ERR_FILE_TOO_LARGE',
  'ERR_IMAGE_TOO_LARGE',
  'ERR_INFERENCE',
  'ERR_INTERNAL',
  'ERR_JOB_TIMEOUT',
  'ERR_NETWORK_INPUT',
  'ERR_OUTPUT_FORMAT',
  'ERR_OUTPUT_TOO_LARGE',
  'ERR_UNSUPPORTED_IMAGE',
  'ERR_WORKER_CRASHED',
]);

/**
 * Has a service upscale a task's images, one job after another; results come to where they would be written here.
 * @throws ServerUnreachableError; ServerProblemError for what is wrong with the task; CancelledError
 */
export async function upscaleRemotely(service: RemoteService, remote: RemoteTask, hooks: TaskHooks): Promise<void> {
  const signal = hooks.signal ?? new AbortController().signal;
  for (const [index, image] of remote.task.images.entries()) {
    const images = remote.task.images.length;
    try {
      const result = await upscaleImage(
        service,
        { ...remote, image },
        {
          signal,
          onProgress: (job) => hooks.onProgress?.(workProgress(job, index, images)),
        },
      );
      hooks.onResult?.({ index, ...result });
    } catch (error) {
      if (signal.aborted) throw new CancelledError('the task was cancelled', { cause: error });
      const failure = error instanceof ServerProblemError ? named(error, image) : error;
      if (!(failure instanceof HiresFixError) || !IMAGE_CODES.has(failure.code)) throw failure;
      if (!hooks.onImageFailed) throw failure;
      hooks.onImageFailed(index, failure);
    }
  }
}

async function upscaleImage(
  service: RemoteService,
  { task, fields, image }: RemoteTask & { readonly image: TaskImage },
  { signal, onProgress }: { readonly signal: AbortSignal; readonly onProgress: (job: RemoteJob) => void },
): Promise<Omit<ImageResult, 'index'>> {
  const given: RemoteTask['fields'] = { ...fields, output_format: task.output.output_format };
  const texts = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, String(value)]));
  const upload = { bytes: await readFile(image.file), name: basename(image.file) };
  const id = await service.submit(upload, texts, signal);
  try {
    const { bytes, info, sha256 } = await ended(service, id, { signal, onProgress });
    const file = image.outputFile ?? `${image.outputStem}.${extensionOf(info.format)}`;
    if (task.mayOverwrite !== true && (await stat(file).catch(() => undefined))) {
      throw new FileExistsError(`${file}: there is such a file already; choose another name, or ask to overwrite`);
    }
    await inPlace(file, (partial) => service.download(id, partial, { sha256 }, signal));
    return { file, bytes, info: info as unknown as ResultInfo };
  } catch (error) {
    if (signal.aborted) await service.cancel(id).catch(() => undefined); // it may have ended, or the service be gone
    throw error;
  }
}

/** The result of a job when it has completed. */
async function ended(
  service: RemoteService,
  id: string,
  { signal, onProgress }: { readonly signal: AbortSignal; readonly onProgress: (job: RemoteJob) => void },
): Promise<RemoteJob['results'][number]> {
  for (let failed = 0; ;) {
    const job = await service.job(id, signal).catch((error: unknown) => {
      if (!(error instanceof ServerUnreachableError) || ++failed > MAX_FAILED_LOOKS) throw error;
      return undefined;
    });
    if (job) {
      failed = 0;
      onProgress(job);
      const [result] = job.results;
      if (job.status === 'completed' && result) return result;
      if (job.status === 'cancelled') throw new ServerProblemError('ERR_CANCELLED', `job ${id} was cancelled`);
      if (job.status === 'failed') throw new ServerProblemError(job.code ?? 'ERR_INTERNAL', job.error ?? 'it failed');
    }
    await pause(LOOK_MS, undefined, { signal });
  }
}

/** What is at `file` is always whole: it is written beside it first. */
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
function named({ code, message }: ServerProblemError, { file }: TaskImage): ServerProblemError {
  if (!IMAGE_CODES.has(code)) return new ServerProblemError(code, message);
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
