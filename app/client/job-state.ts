/** How a job stands, as `GET /jobs/{id}` and its events tell it. What is not known yet is `null`. */
export interface JobState {
  readonly job_id: string;
  readonly status: 'queued' | 'processing' | 'completed' | 'failed' | 'cancelled';
  /** `queued`, `downloading`, `loading`, `upscaling`, `detecting`, `restoring`, `colorizing`, `resizing`, `encoding`. */
  readonly stage: string;
  /** Of all images, 0 to 1; it never falls. */
  readonly progress: number;
  readonly stage_progress: number;
  readonly tile?: number | null;
  readonly tiles?: number | null;
  /** The tile that was finished last, in pixels of the picture that is being made; `picture` is the size of that. */
  readonly tile_region?: {
    readonly x: number;
    readonly y: number;
    readonly width: number;
    readonly height: number;
  } | null;
  readonly picture?: { readonly width: number; readonly height: number } | null;
  /** Which of the `images`, from 1. */
  readonly image?: number;
  readonly images?: number;
  readonly downloaded_bytes?: number | null;
  readonly total_bytes?: number | null;
  readonly eta_seconds?: number | null;
  readonly queue_position?: number;
  readonly method?: string;
  /** Of the images that did not fail; events on the way have none yet. */
  readonly results?: readonly JobResultState[];
  readonly image_states?: readonly ImageState[];
  readonly warnings?: readonly string[];
  /** Why it failed; `code` is one of docs/errors.md. */
  readonly error?: string | null;
  readonly code?: string | null;
  readonly created_at?: string;
  readonly finished_at?: string | null;
}

/** One result of a job. */
export interface JobResultState {
  /** That of the image, from 0. */
  readonly index: number;
  readonly original_filename: string;
  /** Relative to the service. */
  readonly url: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly info: ResultInfo;
}

/** How one image of a job stands. */
export interface ImageState {
  readonly original_filename: string;
  readonly status: JobState['status'];
  readonly error: string | null;
  readonly code: string | null;
}

/** What was done to an image: the main parts; `/openapi.json` has all of them. */
export interface ResultInfo {
  readonly format: string;
  readonly scale: number;
  readonly upscaler?: string;
  readonly device?: string;
  readonly input: { readonly width: number; readonly height: number };
  readonly output: { readonly width: number; readonly height: number };
  readonly tiles?: number;
  readonly faces_found?: number;
  readonly faces_restored?: number;
  readonly weights_sha256?: string;
  readonly model?: string;
  readonly precision?: string;
  /** Every step down from what was asked. */
  readonly fallbacks: readonly { readonly from: string; readonly to: string; readonly reason: string }[];
  readonly warnings: readonly string[];
  readonly seconds: Readonly<Record<string, number>>;
}

/** One page of a caller's jobs, the newest first. */
export interface JobsPage {
  readonly jobs: readonly JobState[];
  /** What brings the next page; `null` on the last. */
  readonly next_cursor: string | null;
}

/** The faces of a picture, as `POST /faces` lists them: boxes and landmarks in its pixels. */
export interface FacesFound {
  readonly faces: readonly {
    readonly index: number;
    readonly box: readonly number[];
    readonly landmarks: readonly (readonly number[])[];
    readonly score: number;
    readonly size: number;
  }[];
  readonly info: ResultInfo;
}

/** A model that the service knows. */
export interface ModelState {
  readonly name: string;
  readonly installed: boolean;
  readonly [name: string]: unknown;
}

/** Whether nothing more happens to a job. */
export function hasEnded({ status }: Pick<JobState, 'status'>): boolean {
  return status !== 'queued' && status !== 'processing';
}

const STATUSES: readonly unknown[] = ['queued', 'processing', 'completed', 'failed', 'cancelled'];

/** Whether something that came is the state of a job. */
export function isJobState(value: unknown): value is JobState {
  const { status, stage, progress, stage_progress, results = [] } = Object(value) as Partial<JobState>;
  return (
    STATUSES.includes(status) &&
    typeof stage === 'string' &&
    typeof progress === 'number' &&
    typeof stage_progress === 'number' &&
    Array.isArray(results) &&
    results.every(isResult)
  );
}

function isResult(value: unknown): boolean {
  const { bytes, sha256, info } = Object(value) as Partial<JobResultState>;
  return typeof bytes === 'number' && typeof sha256 === 'string' && typeof info?.format === 'string';
}
