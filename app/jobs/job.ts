import { randomBytes } from 'node:crypto';
import type { Stage, WorkProgress } from '../processing/progress.ts';
import type { ImageResult } from '../processing/result.ts';
import type {
  DownloadTask,
  ExtrasTask,
  FaceTask,
  FindFacesTask,
  HiresFixTask,
  PreviewTask,
  RestoreTask,
} from '../processing/tasks.ts';
import type { MethodName } from '../options/methods.ts';
import type { OutputOptions } from '../options/output-options.ts';

/** The states that a job does not leave. */
export type EndStatus = 'completed' | 'failed' | 'cancelled';
export type JobStatus = 'queued' | 'processing' | EndStatus;

/** What is done to each image: a worker's task but for the images. */
export type ImageWork =
  | Pick<HiresFixTask, 'kind' | 'options'>
  | Pick<PreviewTask, 'kind' | 'upscalers' | 'region' | 'options'>
  | Pick<ExtrasTask, 'kind' | 'options'>
  | Pick<FaceTask, 'kind' | 'options'>
  | Pick<FindFacesTask, 'kind' | 'options'>
  | Pick<RestoreTask, 'kind' | 'steps' | 'options'>;

/** What a job does. A download has no inputs and no results. */
export type JobWork = ImageWork | DownloadTask;

/** The work on some of a job's images alone, by their indices. */
export function workOn(work: ImageWork, indices: readonly number[]): ImageWork {
  if (work.kind !== 'preview') return work;
  return { ...work, upscalers: indices.flatMap((index) => work.upscalers[index] ?? []) };
}

/** The caller of all jobs where no keys are set. */
export const ANYONE = 'anyone';

/** An image to work on: where its bytes lie, and the name that the caller gave it (never used as a path). */
export interface JobInput {
  readonly file: string;
  readonly name: string;
  /** Of its bytes. */
  readonly sha256: string;
}

/** One finished image, with what names its content. */
export interface JobResult extends ImageResult {
  readonly sha256: string;
}

/** Why a job failed: a public code (docs/errors.md) and a text for people. */
export interface JobError {
  readonly code: string;
  readonly message: string;
}

/** An image that failed while others of its job did not. */
export interface ImageFailure extends JobError {
  /** Index of the job's input. */
  readonly index: number;
}

/** What a caller submits. `id` comes from `newJobId`, because the inputs' files are named after it. */
export interface JobRequest {
  readonly id: string;
  /** Whose it is; callers take turns. */
  readonly caller: string;
  /** Which way the job came in; it names the result's suffix and what a batch means. */
  readonly method: MethodName;
  readonly inputs: readonly JobInput[];
  readonly work: JobWork;
  readonly output: OutputOptions;
  /** Things about the request that its caller should know, such as fields that were ignored. */
  readonly warnings: readonly string[];
  readonly idempotency?: Idempotency;
  /** Where its end is told. */
  readonly webhookUrl?: string;
  /** The request that it came by, for the log. */
  readonly requestId?: string;
}

/** The caller's own name for a request, and a digest of everything that makes it this request. */
export interface Idempotency {
  readonly key: string;
  readonly fingerprint: string;
}

/** What happens once to a job. */
export type Moment = 'created' | 'started' | 'finished';

/** A job as it stands; a snapshot, never changed after it was handed out. Times in ms since the epoch. */
export interface Job extends JobRequest {
  readonly status: JobStatus;
  /** 1 is the next to start; 0 when it no longer waits. */
  readonly queuePosition: number;
  readonly progress: WorkProgress;
  /** By index, those of images that failed left out. */
  readonly results: readonly JobResult[];
  readonly failures: readonly ImageFailure[];
  readonly error?: JobError;
  readonly createdAt: number;
  readonly startedAt?: number;
  readonly finishedAt?: number;
  /** The same times in ms of a clock that nobody sets, where this process saw them; kept nowhere. */
  readonly steady?: Readonly<Partial<Record<Moment, number>>>;
  /** Which run it is in, from 1; 0 before the first. */
  readonly attempt: number;
  /** Until it has ended, by the speed of jobs of late; absent where nothing was measured yet. */
  readonly etaSeconds?: number;
}

/** What became of a request: the job as it was accepted, and whether an earlier request with the same key made it. */
export interface Submission {
  readonly job: Job;
  readonly isReplay: boolean;
}

/** Some jobs, newest first, and where the next page begins. */
export interface JobPage {
  readonly jobs: readonly Job[];
  readonly next?: string;
}

/** What a queue gives to the code that runs a job. */
export interface JobHooks {
  /** Aborts when the job is cancelled, or the service stops. */
  readonly signal: AbortSignal;
  /** Whether the job runs again if its worker dies. */
  readonly mayRetry: boolean;
  readonly onProgress: (progress: WorkProgress) => void;
  /** @param cause for the log */
  readonly onImageFailed: (failure: ImageFailure, cause?: unknown) => void;
}

/** Runs one job to its results, fewer than inputs where images failed; throws to fail it. */
export type JobHandler = (job: Job, hooks: JobHooks) => Promise<readonly JobResult[]>;

/** Where a job stands before it has begun. */
export function initialProgress({ inputs }: Pick<Job, 'inputs'>): WorkProgress {
  return { stage: 'queued', progress: 0, stageProgress: 0, image: Math.min(1, inputs.length), images: inputs.length };
}

/** Where a job stands that has completed. */
export function finalProgress({ work, inputs }: Pick<Job, 'work' | 'inputs'>): WorkProgress {
  const stage: Stage = work.kind === 'download' ? 'downloading' : 'encoding';
  return { stage, progress: 1, stageProgress: 1, image: inputs.length, images: inputs.length };
}

/** 128 random bits: knowing an id is knowing of the job. */
export function newJobId(): string {
  return randomBytes(16).toString('hex');
}

/** Whether a job has reached its last state. */
export function hasEnded(status: JobStatus): status is EndStatus {
  return status === 'completed' || status === 'failed' || status === 'cancelled';
}
