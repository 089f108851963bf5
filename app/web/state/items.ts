import type { Signal } from '@preact/signals';
import { signal } from '@preact/signals';
import type { JobState } from '../../client/job-state.ts';
import type { StoredItem } from '../service/stored-items.ts';
import type { Size } from './estimate.ts';
import type { Settings } from './settings.ts';

/** A picture in the queue: one that was dropped here, or a job of this caller's that came another way. */
export interface Item {
  readonly id: string;
  readonly name: string;
  readonly folder: string;
  readonly createdAt: number;
  /** None of a job that came another way; neither has it a file here. */
  readonly settings: Settings | undefined;
  readonly file: Blob | undefined;
  readonly size: Signal<Size | undefined>;
  /** URL of a small picture of it. */
  readonly thumbnail: Signal<string | undefined>;
  readonly jobId: Signal<string | undefined>;
  readonly job: Signal<JobState | undefined>;
  /** What it waits for before it can be sent. */
  readonly hindrance: Signal<string | undefined>;
  /** Why it could not be sent, or what became of its job. */
  readonly problem: Signal<string | undefined>;
}

/** The newest first. */
export const items = signal<readonly Item[]>([]);
/** Whether a job has reached its last state. */
export function hasEnded(job: JobState | undefined): boolean {
  return job?.status === 'completed' || job?.status === 'failed' || job?.status === 'cancelled';
}

/** Whether nothing more will come of an item. */
export function isOver({ job, problem }: Item): boolean {
  return hasEnded(job.value) || problem.value !== undefined;
}

/** What this browser remembers of an item. */
export function storedOf(item: Item): StoredItem {
  const { id, createdAt, name, folder, file, size, jobId } = item;
  if (!file || !item.settings) throw new Error(`${name} has nothing to remember`);
  return { id, createdAt, name, folder, settings: item.settings, file, size: size.value, jobId: jobId.value };
}

/** A picture as it was remembered. */
export function itemOf(stored: StoredItem): Item {
  const { thumbnail, size, jobId } = stored;
  return {
    ...stored,
    size: signal(size),
    thumbnail: signal(thumbnail && URL.createObjectURL(thumbnail)),
    jobId: signal(jobId),
    job: signal(undefined),
    hindrance: signal(undefined),
    problem: signal(undefined),
  };
}

/** A job that came another way. */
export function itemOfJob(job: JobState): Item {
  const [first] = job.image_states ?? [];
  const count = job.images ?? 1;
  return {
    id: job.job_id,
    name: count > 1 ? `${count} images` : (first?.original_filename ?? job.job_id.slice(0, 8)),
    folder: '',
    createdAt: Date.parse(job.created_at ?? ''),
    settings: undefined,
    file: undefined,
    size: signal(job.results?.[0]?.info.input),
    thumbnail: signal(undefined),
    jobId: signal(job.job_id),
    job: signal(job),
    hindrance: signal(undefined),
    problem: signal(undefined),
  };
}
