import type { z } from 'zod';
import type { faceOptions } from '../options/face-task-options.ts';
import type { findFacesOptions } from '../options/find-faces-options.ts';
import type { outputOptions } from '../options/output-options.ts';
import type { colorizeOptions, restoreOptions } from '../options/restore-options.ts';
import type { upscaleOptions } from '../options/upscale-options.ts';
import { ServiceProblemError, ServiceUnreachableError } from './errors.ts';
import { followJob } from './follow-job.ts';
import type { FacesFound, JobResultState, JobsPage, JobState, ModelState, ResultInfo } from './job-state.ts';
import { hasEnded, isJobState } from './job-state.ts';
import type { ConnectionOptions } from './service-connection.ts';
import { ServiceConnection } from './service-connection.ts';

// What a caller of the package may want to name; it has this one entry.
export { ServiceProblemError, ServiceUnreachableError } from './errors.ts';
export type { FacesFound, JobResultState, JobsPage, JobState, ModelState, ResultInfo } from './job-state.ts';

/** A picture: a file of a form, a blob, or the bytes of an image file. */
export type ImageFile = Blob | Uint8Array<ArrayBuffer>;

/** How a job is followed, whatever is done. */
export interface FollowOptions {
  /** Called with every state of the job, the last of which is its end. If it throws, the job is cancelled and the call throws the same. */
  readonly onProgress?: ((job: JobState) => void) | undefined;
  /** Aborted, the job is cancelled and the call throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** What the file is called, where it is no `File` itself. */
  readonly name?: string | undefined;
  /** A request that is sent again under the same key is done once. */
  readonly idempotencyKey?: string | undefined;
}

type OutputFields = z.input<typeof outputOptions>;
export type UpscaleFields = z.input<typeof upscaleOptions> & OutputFields;
export type RestoreFields = z.input<typeof restoreOptions> & OutputFields;
export type ColorizeFields = z.input<typeof colorizeOptions> & OutputFields;
export type FaceFields = z.input<typeof faceOptions> & OutputFields;
export type FindFacesFields = z.input<typeof findFacesOptions>;

/** The fields of a method's form; numbers and truth values are sent as text, and what is undefined is not sent. */
export type Fields = Readonly<Record<string, string | number | boolean | undefined>>;

/** A picture that was made, and what was done to make it. */
export interface MadeImage {
  readonly blob: Blob;
  readonly info: ResultInfo;
  readonly jobId: string;
}

/** What is to be done with which pictures, as `POST /jobs` takes it. */
export interface Submission {
  /** `upscale`, `enhance`, `restore`, `colorize`, `face`, `faces`, or another that the service has. */
  readonly method: string;
  readonly files: readonly { readonly file: ImageFile; readonly name?: string | undefined }[];
  readonly fields?: Fields;
}

/**
 * A running hiresfix service as its caller sees it, in Node and in browsers. All methods throw ServiceProblemError for what the
 * service refuses or fails, ServiceUnreachableError where it cannot be reached, or the reason of the signal that they are given.
 *
 * ```js
 * const client = new HiresFixClient('http://127.0.0.1:8001');
 * const onProgress = ({ stage, progress }) => console.log(stage, progress);
 * const { blob, info } = await client.upscale(file, { upscaler: 'COMPACT_X2', scale: 2, onProgress });
 * ```
 */
export class HiresFixClient {
  readonly #connection: ServiceConnection;

  /** @throws TypeError where `url` is none */
  constructor(url: string | URL, options: ConnectionOptions = {}) {
    this.#connection = new ServiceConnection(url, options);
  }

  /** Enlarges a picture. */
  upscale(file: ImageFile, options: UpscaleFields & FollowOptions = {}): Promise<MadeImage> {
    return this.#make('upscale', file, options);
  }

  /** Repairs a picture at its own size; without `steps`, as an old photograph. */
  restore(file: ImageFile, options: RestoreFields & FollowOptions = {}): Promise<MadeImage> {
    return this.#make('restore', file, options);
  }

  /** Colours a picture. */
  colorize(file: ImageFile, options: ColorizeFields & FollowOptions = {}): Promise<MadeImage> {
    return this.#make('colorize', file, options);
  }

  /** Restores the faces of a picture. */
  face(file: ImageFile, options: FaceFields & FollowOptions = {}): Promise<MadeImage> {
    return this.#make('face', file, options);
  }

  /** Finds the faces of a picture. */
  async faces(file: ImageFile, options: FindFacesFields & FollowOptions = {}): Promise<FacesFound> {
    const { blob, info } = await this.#make('faces', file, options);
    return { ...(JSON.parse(await blob.text()) as Pick<FacesFound, 'faces'>), info };
  }

  /** Hands over pictures as a job; returns the job's id. */
  async submit(
    { method, files, fields = {} }: Submission,
    { signal, idempotencyKey }: Pick<FollowOptions, 'signal' | 'idempotencyKey'> = {},
  ): Promise<string> {
    const body = new FormData();
    body.append('method', method);
    for (const [name, value] of Object.entries(fields)) if (value !== undefined) body.append(name, String(value));
    for (const { file, name } of files) {
      const blob = file instanceof Blob ? file : new Blob([file]);
      body.append('files', blob, name ?? ('name' in blob ? String(blob.name) : 'image'));
    }
    const headers = idempotencyKey === undefined ? {} : { 'Idempotency-Key': idempotencyKey };
    const response = await this.#connection.request('jobs', { method: 'POST', body, headers, ...given(signal) });
    return (await this.#connection.json(response, hasJobId)).job_id;
  }

  /** The states of a job as they come, the last of which is its end, however it ends. */
  follow(id: string, signal?: AbortSignal): AsyncGenerator<JobState, void> {
    const events = (job: string, until?: AbortSignal) => this.#connection.events(job, until);
    return followJob({ events, job: (job, until) => this.job(job, until) }, id, signal);
  }

  /**
   * Waits for a job's completion. Aborted, or where `onProgress` throws, it cancels the job.
   * @throws ServiceProblemError for a job that failed or was cancelled; what `onProgress` throws
   */
  async completion(
    id: string,
    { signal, onProgress }: Pick<FollowOptions, 'signal' | 'onProgress'> = {},
  ): Promise<JobState> {
    let isOver = false;
    try {
      for await (const job of this.follow(id, signal)) {
        isOver = hasEnded(job);
        onProgress?.(job);
        if (job.status === 'completed') return job;
        if (job.status === 'cancelled') throw new ServiceProblemError('ERR_CANCELLED', `job ${id} was cancelled`);
        if (job.status === 'failed')
          throw new ServiceProblemError(job.code ?? 'ERR_INTERNAL', job.error ?? 'it failed');
      }
      throw new ServiceProblemError('ERR_INTERNAL', `job ${id} has no end`);
    } catch (error) {
      const isGivenUp = signal?.aborted === true || !isOurs(error);
      // To cancel a job that has ended removes its results.
      if (isGivenUp && !isOver) await this.cancel(id).catch(() => undefined); // the service may be gone
      throw error;
    }
  }

  /** How a job stands now. */
  async job(id: string, signal?: AbortSignal): Promise<JobState> {
    return this.#connection.json(
      await this.#connection.ask(`jobs/${encodeURIComponent(id)}`, given(signal)),
      isJobState,
    );
  }

  /** The caller's jobs, the newest first, a page at a time. */
  async jobs({ limit, cursor }: { readonly limit?: number; readonly cursor?: string } = {}): Promise<JobsPage> {
    const query = new URLSearchParams();
    if (limit !== undefined) query.set('limit', String(limit));
    if (cursor !== undefined) query.set('cursor', cursor);
    return this.#connection.json(await this.#connection.ask(`jobs?${query.toString()}`), isJobsPage);
  }

  /** Calls a job off; one that has ended is removed, with its results. */
  async cancel(id: string): Promise<void> {
    await (await this.#connection.ask(`jobs/${encodeURIComponent(id)}`, { method: 'DELETE' })).body?.cancel();
  }

  /** One result of a job that has completed: an answer of success, whose body is the file. */
  result(id: string, index = 0, signal?: AbortSignal): Promise<Response> {
    return this.#connection.request(`jobs/${encodeURIComponent(id)}/results/${index}`, given(signal));
  }

  /** All results of a job that has completed, as one ZIP. */
  archive(id: string, signal?: AbortSignal): Promise<Response> {
    return this.#connection.request(`jobs/${encodeURIComponent(id)}/results.zip`, given(signal));
  }

  /** The models that the service knows, installed or not. */
  async models(): Promise<readonly ModelState[]> {
    return (await this.#connection.json(await this.#connection.ask('models'), hasModels)).models;
  }

  /** Has the service fetch a model, as a job; returns the job's id. */
  async downloadModel(name: string): Promise<string> {
    const path = `models/${encodeURIComponent(name)}/download`;
    return (await this.#connection.json(await this.#connection.ask(path, { method: 'POST' }), hasJobId)).job_id;
  }

  /** What a body that broke off is told as: one of the errors above. */
  failure(error: unknown, signal?: AbortSignal): unknown {
    return this.#connection.failure(error, signal);
  }

  async #make(method: string, file: ImageFile, options: FollowOptions): Promise<MadeImage> {
    const { onProgress, signal, name, idempotencyKey, ...fields } = options;
    const id = await this.submit({ method, files: [{ file, name }], fields: fields }, { signal, idempotencyKey });
    const [result] = (await this.completion(id, { onProgress, signal })).results ?? [];
    if (!result) throw new ServiceProblemError('ERR_INTERNAL', `job ${id} completed without a result`);
    return { blob: await this.#blob(id, result, signal), info: result.info, jobId: id };
  }

  async #blob(id: string, { bytes }: JobResultState, signal: AbortSignal | undefined): Promise<Blob> {
    const response = await this.result(id, 0, signal);
    const blob = await response.blob().catch((error: unknown) => {
      throw this.failure(error, signal);
    });
    if (blob.size === bytes) return blob;
    throw new ServiceUnreachableError(`${response.url}: the result did not arrive as it was made; try again`);
  }
}

function isOurs(error: unknown): boolean {
  return error instanceof ServiceProblemError || error instanceof ServiceUnreachableError;
}

function given(signal: AbortSignal | undefined): { readonly signal?: AbortSignal } {
  return signal ? { signal } : {};
}

function hasJobId(value: unknown): value is { readonly job_id: string } {
  return typeof (Object(value) as { job_id?: unknown }).job_id === 'string';
}

function isJobsPage(value: unknown): value is JobsPage {
  return Array.isArray((Object(value) as { jobs?: unknown }).jobs);
}

function hasModels(value: unknown): value is { readonly models: readonly ModelState[] } {
  return Array.isArray((Object(value) as { models?: unknown }).models);
}
