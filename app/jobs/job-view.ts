import { basename } from 'node:path';
import type { ResultInfo, Size } from '../processing/result.ts';
import type { Stage, WorkProgress } from '../processing/progress.ts';
import type { Job, JobResult, JobStatus } from './job.ts';

/** A `progress` event, on the socket and wherever else progress is told. `null` is not known, or does not apply now. */
export interface ProgressView {
  readonly job_id: string;
  readonly status: JobStatus;
  readonly stage: Stage;
  readonly progress: number;
  readonly stage_progress: number;
  readonly tile: number | null;
  readonly tiles: number | null;
  /** The tile that was finished last, in pixels of the picture that is being made, which has the size `picture`. */
  readonly tile_region: NonNullable<WorkProgress['tileRegion']> | null;
  readonly picture: Size | null;
  readonly image: number;
  readonly images: number;
  readonly downloaded_bytes: number | null;
  readonly total_bytes: number | null;
  readonly eta_seconds: number | null;
  readonly queue_position: number;
}

/** One result, as `GET /jobs/{id}` lists it. */
export interface ResultView {
  readonly index: number;
  readonly original_filename: string;
  readonly url: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly info: ResultInfo;
}

/** How one image of a job stands, as `GET /jobs/{id}` lists them. */
export interface ImageView {
  readonly original_filename: string;
  readonly status: JobStatus;
  readonly error: string | null;
  readonly code: string | null;
}

/** The payload of `completed`, `failed` and `cancelled`, and the body of `GET /jobs/{id}`. */
export interface JobView extends ProgressView {
  readonly method: string;
  /** What a download fetches. */
  readonly model: string | null;
  readonly created_at: string;
  readonly started_at: string | null;
  readonly finished_at: string | null;
  readonly warnings: readonly string[];
  readonly image_states: readonly ImageView[];
  /** Of the images that did not fail; `index` is that of the image. */
  readonly results: readonly ResultView[];
  /** Why it failed, for people; `code` is for programs (docs/errors.md). */
  readonly error: string | null;
  readonly code: string | null;
}

/** A job as `progress` events tell it. */
export function progressView(job: Job): ProgressView {
  const { progress } = job;
  return {
    job_id: job.id,
    status: job.status,
    stage: progress.stage,
    progress: progress.progress,
    stage_progress: progress.stageProgress,
    tile: progress.tile ?? null,
    tiles: progress.tiles ?? null,
    tile_region: progress.tileRegion ?? null,
    picture: progress.picture ?? null,
    image: progress.image,
    images: progress.images,
    downloaded_bytes: progress.downloadedBytes ?? null,
    total_bytes: progress.totalBytes ?? null,
    eta_seconds: job.etaSeconds ?? null,
    queue_position: job.queuePosition,
  };
}

/** A job as `GET /jobs/{id}` answers it, and as its last event tells it. */
export function jobView(job: Job): JobView {
  return {
    ...progressView(job),
    method: job.method,
    model: job.work.kind === 'download' ? job.work.model : null,
    created_at: isoTime(job.createdAt),
    started_at: job.startedAt === undefined ? null : isoTime(job.startedAt),
    finished_at: job.finishedAt === undefined ? null : isoTime(job.finishedAt),
    warnings: job.warnings,
    image_states: job.inputs.map(({ name }, index) => imageView(job, name, index)),
    results: job.results.map((result) => resultView(job, result)),
    error: job.error?.message ?? null,
    code: job.error?.code ?? null,
  };
}

/** The last part of `/processed/{name}`, and what it stands for. */
export function processedName(job: Job, result: JobResult): string {
  return `${job.id}-${basename(result.file)}`;
}

function imageView(job: Job, name: string, index: number): ImageView {
  const failure = job.failures.find((one) => one.index === index);
  const { message: error = null, code = null } = failure ?? job.error ?? {};
  return { original_filename: name, status: failure ? 'failed' : imageStatus(job, index), error, code };
}

/** A job works on its images one after another. */
function imageStatus({ status, progress }: Job, index: number): JobStatus {
  if (status !== 'processing' || index === progress.image - 1) return status;
  return index < progress.image - 1 ? 'completed' : 'queued';
}

function resultView(job: Job, result: JobResult): ResultView {
  return {
    index: result.index,
    original_filename: job.inputs[result.index]?.name ?? '',
    url: `/processed/${processedName(job, result)}`,
    bytes: result.bytes,
    sha256: result.sha256,
    info: result.info,
  };
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
