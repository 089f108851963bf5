import { createHash } from 'node:crypto';
import { openAsBlob } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ServiceProblemError, ServiceUnreachableError } from '../../client/errors.ts';
import type { Fields, HiresFixClient } from '../../client/hires-fix-client.ts';
import type { JobResultState, JobState } from '../../client/job-state.ts';
import { chunksOf } from '../../client/service-connection.ts';
import type { Fault } from '../../errors.ts';
import { HiresFixError } from '../../errors.ts';
import { isDiskFault } from '../../files/disk-room.ts';
import { errorCode } from '../../files/error-code.ts';
import { putInPlace } from '../../files/put-in-place.ts';
import { ScratchSpaceError } from '../../imaging/errors.ts';
import { assertFree } from '../../processing/result-place.ts';
import type { ImageMethodName } from '../../options/methods.ts';
import { extensionOf } from '../../options/output-formats.ts';
import type { Stage, WorkProgress } from '../../processing/progress.ts';
import type { ImageResult, ResultInfo } from '../../processing/result.ts';
import type { ImagesTask, TaskImage } from '../../processing/tasks.ts';
import { CancelledError } from '../../worker/errors.ts';
import type { TaskHooks } from '../../worker/worker-pool.ts';
import { ServerProblemError, ServerUnreachableError } from '../errors.ts';

/** What is done with an image, as `POST /jobs` takes it. */
export interface RemoteCall {
  readonly method: ImageMethodName;
  /** The fields of the method's own route. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** The images of a task, and what a service is asked to do with each of them. */
export interface RemoteTask {
  readonly task: ImagesTask;
  readonly call: RemoteCall;
}

/** After which the next image may do better: each is a job of its own, for which the service has tried what it could. */
const FAULTS_OF_ONE_IMAGE: readonly Fault[] = ['image', 'machine'];

interface Followed {
  readonly signal: AbortSignal;
  readonly onProgress: (job: JobState) => void;
}

/**
 * Has a service work on a task's images, one job after another; results are put where a worker would write them here.
 * @throws ServerUnreachableError; ServerProblemError for what is wrong with the task; CancelledError
 */
export async function runRemotely(service: HiresFixClient, remote: RemoteTask, hooks: TaskHooks): Promise<void> {
  const signal = hooks.signal ?? new AbortController().signal;
  const { images } = remote.task;
  for (const [index, image] of images.entries()) {
    const onProgress = (job: JobState): void => hooks.onProgress?.(workProgress(job, index, images.length));
    try {
      const result = await makeImage(service, { ...remote, image }, { signal, onProgress });
      hooks.onResult?.({ index, ...result });
    } catch (error) {
      if (signal.aborted) throw new CancelledError('the task was cancelled', { cause: error });
      const failure = failureOf(error, image);
      if (!(failure instanceof HiresFixError) || !FAULTS_OF_ONE_IMAGE.includes(failure.fault)) throw failure;
      if (!hooks.onImageFailed) throw failure;
      hooks.onImageFailed(index, failure);
    }
  }
}

async function makeImage(
  client: HiresFixClient,
  { task, call: { method, fields }, image }: RemoteTask & { readonly image: TaskImage },
  followed: Followed,
): Promise<Omit<ImageResult, 'index'>> {
  const { signal } = followed;
  const files = [{ file: await openAsBlob(image.file), name: basename(image.name) }];
  const id = await client.submit({ method, files, fields: fields as Fields }, { signal });
  const [result] = (await client.completion(id, followed)).results ?? [];
  if (!result) throw new ServiceProblemError('ERR_INTERNAL', `job ${id} completed without a result`);
  const info = result.info as object as ResultInfo;
  const extension = info.format === 'json' ? 'json' : extensionOf(info.format);
  const file = image.outputFile ?? `${image.outputStem}.${extension}`;
  await assertFree(file, task.mayOverwrite === true);
  await inPlace(file, (partial) => download(client, { id, result, file: partial }, signal));
  return { file, bytes: result.bytes, info };
}

/** Writes a job's only result to `file`, and compares it with its digest. */
async function download(
  client: HiresFixClient,
  { id, result, file }: { readonly id: string; readonly result: JobResultState; readonly file: string },
  signal: AbortSignal,
): Promise<void> {
  const response = await client.result(id, 0, signal);
  const hash = createHash('sha256');
  async function* chunks(): AsyncGenerator<Uint8Array, void> {
    for await (const chunk of chunksOf(response)) {
      hash.update(chunk);
      yield chunk;
    }
  }
  await writeFile(file, chunks(), { signal }).catch((error: unknown) => {
    throw isDiskFault(error) ? error : client.failure(error, signal);
  });
  if (hash.digest('hex') === result.sha256) return;
  throw new ServiceUnreachableError(`${response.url}: the result did not arrive as it was made; try again`);
}

/** Writes beside `file` first, so that what is at `file` is always whole. @throws ScratchSpaceError where that has no room */
async function inPlace(file: string, write: (partial: string) => Promise<void>): Promise<void> {
  let scratch: string | undefined;
  try {
    scratch = await mkdtemp(join(dirname(file), '.hiresfix-'));
    const partial = join(scratch, 'result');
    await write(partial);
    await putInPlace(partial, file);
  } catch (cause) {
    if (!isDiskFault(cause)) throw cause;
    throw new ScratchSpaceError(
      `${file}: cannot be written (${errorCode(cause) ?? ''}); free some space and try again`,
      {
        cause,
      },
    );
  } finally {
    if (scratch !== undefined) await rm(scratch, { recursive: true, force: true });
  }
}

/** An error of the client's in the command line's own words, with the file's name where the file is to blame. */
function failureOf(error: unknown, { name }: TaskImage): unknown {
  if (error instanceof ServiceUnreachableError) return new ServerUnreachableError(error.message, { cause: error });
  if (!(error instanceof ServiceProblemError)) return error;
  const { code, message } = error;
  if (code === 'ERR_UNAUTHORIZED') return new ServerProblemError(code, keyWords());
  const problem = new ServerProblemError(code, message);
  if (!FAULTS_OF_ONE_IMAGE.includes(problem.fault)) return problem;
  // The service knows the last part of the file's name at most.
  const prefix = `${basename(name)}: `;
  return new ServerProblemError(
    code,
    `${name}: ${message.startsWith(prefix) ? message.slice(prefix.length) : message}`,
  );
}

/** The service speaks of headers, which nobody sets here. */
function keyWords(): string {
  const { HIRESFIX_API_KEY: key = '' } = process.env;
  return key === ''
    ? 'the service asks for an API key: set HIRESFIX_API_KEY to one'
    : 'the API key in HIRESFIX_API_KEY is not one of the service';
}

function workProgress(job: JobState, index: number, images: number): WorkProgress {
  const { stage, progress, stage_progress, tile, tiles, downloaded_bytes, total_bytes, eta_seconds } = job;
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
    ...(typeof eta_seconds === 'number' && images === 1 && { secondsLeft: eta_seconds }),
  };
}
