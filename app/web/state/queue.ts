import type { Signal } from '@preact/signals';
import { computed, signal } from '@preact/signals';
import { ServiceUnreachableError } from '../../client/errors.ts';
import type { JobState } from '../../client/job-state.ts';
import { ask, fetchBlob, wordsOf } from '../service/connection.ts';
import type { StoredItem } from '../service/stored-items.ts';
import { forgetItem, storedItems, storeItem } from '../service/stored-items.ts';
import type { Size } from './estimate.ts';
import type { Settings } from './settings.ts';
import { settings } from './settings.ts';
import { submissionOf } from './submission.ts';
import { hide, isHidden } from './hidden-jobs.ts';
import { thumbnailOf } from './thumbnail.ts';

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
  /** Why it could not be sent. */
  readonly problem: Signal<string | undefined>;
}

/** The newest first. */
export const items = signal<readonly Item[]>([]);
/** The item that is looked at. */
export const chosenId = signal<string | undefined>(undefined);
/** Said to screen readers when the state of something changes. */
export const announcement = signal('');

export const chosenItem = computed(() => items.value.find(({ id }) => id === chosenId.value));
/** Jobs of whose progress somebody has to tell. */
export const activeJobIds = computed(() =>
  items.value.flatMap(({ jobId, job }) => (jobId.value !== undefined && !hasEnded(job.value) ? [jobId.value] : [])),
);

const MAX_SENDING = 2;
const RETRY_MS = 2000;
let sending = 0;

/** Whether a job has reached its last state. */
export function hasEnded(job: JobState | undefined): boolean {
  return job?.status === 'completed' || job?.status === 'failed' || job?.status === 'cancelled';
}

/** Puts pictures into the queue with the settings as they are, and begins to send them. */
export function enqueue(
  files: readonly { readonly file: Blob; readonly name: string; readonly folder: string }[],
  chosen: Settings = settings.value,
): void {
  const now = Date.now();
  const added = files.map(({ file, name, folder }, index): StoredItem => {
    return { id: crypto.randomUUID(), createdAt: now + index, name, folder, settings: chosen, file };
  });
  items.value = [...added.map(itemOf).reverse(), ...items.value];
  chosenId.value = added[0]?.id;
  for (const stored of added) void storeItem(stored);
  void sendNext();
  void lookAtPictures(added.map(({ id }) => id));
}

/** The queue as it was before the page was reloaded, and the caller's other jobs. */
export async function restoreQueue(): Promise<void> {
  const kept = (await storedItems()).map(itemOf).reverse();
  items.value = [...items.value, ...kept.filter(({ id }) => items.value.every((item) => item.id !== id))];
  await refreshJobs();
  chosenId.value ??= items.value[0]?.id;
  void sendNext();
  void lookAtPictures(kept.map(({ id }) => id));
  void lookAtResults();
}

/** Asks how all jobs stand. A job that is no longer known has expired. */
export async function refreshJobs(): Promise<void> {
  const { jobs } = await ask((client) => client.jobs({ limit: 100 }));
  const byId = new Map(jobs.map((job) => [job.job_id, job]));
  const own = new Set(items.value.map(({ jobId }) => jobId.value));
  for (const item of items.value) {
    const job = byId.get(item.jobId.value ?? '');
    if (job) setJob(item, job);
    else if (item.jobId.value !== undefined && item.job.value === undefined) await forget(item);
  }
  const others = jobs.filter(({ job_id: id, method }) => !own.has(id) && !isHidden(id) && isPictures(method));
  items.value = [...items.value, ...others.map(itemOfJob)].sort((a, b) => b.createdAt - a.createdAt);
}

/** Takes what was told of a job. */
export function takeJob(told: JobState): void {
  const item = items.value.find(({ jobId }) => jobId.value === told.job_id);
  if (item) setJob(item, { ...item.job.value, ...told });
}

/** Calls an item off: its job, or its sending. */
export async function cancel(item: Item): Promise<void> {
  const id = item.jobId.value;
  if (id === undefined) {
    await remove(item);
    return;
  }
  await ask((client) => client.cancel(id));
  setJob(item, await ask((client) => client.job(id)));
}

/** Sends a picture again, with the settings that it had or others. */
export function retry(item: Item, chosen: Settings | undefined = item.settings): void {
  if (!item.file) return;
  enqueue([{ file: item.file, name: item.name, folder: item.folder }], chosen);
}

/** Takes an item out of the list; its job, where it still runs, is called off. */
export async function remove(item: Item): Promise<void> {
  const id = item.jobId.value;
  await forget(item);
  if (id !== undefined && !hasEnded(item.job.value)) await ask((client) => client.cancel(id));
}

async function forget(item: Item): Promise<void> {
  if (item.jobId.value !== undefined) hide(item.jobId.value);
  items.value = items.value.filter(({ id }) => id !== item.id);
  if (item.thumbnail.value !== undefined) URL.revokeObjectURL(item.thumbnail.value);
  await forgetItem(item.id);
}

/** Previews are shown where they were asked for, downloads among the models. */
function isPictures(method: string | undefined): boolean {
  return method !== 'preview' && method !== 'download' && method !== 'faces';
}

function setJob(item: Item, job: JobState): void {
  const before = item.job.value?.status;
  item.job.value = job;
  if (before !== job.status && hasEnded(job)) announcement.value = `${item.name}: ${job.status}`;
}

async function sendNext(): Promise<void> {
  if (sending >= MAX_SENDING) return;
  const next = items.value.findLast(
    ({ jobId, problem, file, id }) => file && !jobId.value && !problem.value && !begun.has(id),
  );
  if (!next) return;
  sending++;
  begun.add(next.id);
  void sendNext();
  await send(next);
  sending--;
  void sendNext();
}

const begun = new Set<string>();

/** Under the item's id as the key: what was sent before a reload is not done twice. */
async function send(item: Item): Promise<void> {
  const { file, name, settings: chosen } = item;
  if (!file || !chosen) return;
  try {
    const submission = submissionOf(chosen, file, name);
    const id = await untilReachable(item, () =>
      ask((client) => client.submit(submission, { idempotencyKey: item.id })),
    );
    if (items.value.every((one) => one.id !== item.id)) {
      await ask((client) => client.cancel(id)); // it was called off meanwhile
      return;
    }
    item.jobId.value = id;
    await storeItem(storedOf(item));
    setJob(item, await ask((client) => client.job(id)));
  } catch (error) {
    item.problem.value = wordsOf(error);
    announcement.value = `${name}: ${item.problem.value}`;
  }
}

/** A service that is away for a while does not lose a picture: it is sent when there is an answer again. */
async function untilReachable<T>(item: Item, act: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await act();
    } catch (error) {
      const isWanted = items.value.some(({ id }) => id === item.id);
      if (!(error instanceof ServiceUnreachableError) || !isWanted) throw error;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

/** One after another: sixty pictures must not stop the page. */
async function lookAtPictures(ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    const item = items.value.find((one) => one.id === id);
    if (!item?.file || item.thumbnail.value !== undefined) continue;
    const seen = await thumbnailOf(item.file);
    if (!seen) continue;
    item.size.value = seen.size;
    item.thumbnail.value = URL.createObjectURL(seen.thumbnail);
    await storeItem({ ...storedOf(item), thumbnail: seen.thumbnail });
  }
}

/** Of jobs that came another way there is no picture here but their result. */
async function lookAtResults(): Promise<void> {
  for (const { file, thumbnail, job, jobId } of items.value) {
    const [result] = job.value?.results ?? [];
    if (file || thumbnail.value !== undefined || !result) continue;
    const path = `jobs/${jobId.value ?? ''}/results/${result.index}?width=128`;
    const small = await fetchBlob(path).catch(() => undefined);
    if (small) thumbnail.value = URL.createObjectURL(small);
  }
}

function storedOf(item: Item): StoredItem {
  const { id, createdAt, name, folder, file, size, jobId } = item;
  if (!file || !item.settings) throw new Error(`${name} has nothing to remember`);
  return { id, createdAt, name, folder, settings: item.settings, file, size: size.value, jobId: jobId.value };
}

function itemOf(stored: StoredItem): Item {
  const { thumbnail, size, jobId } = stored;
  return {
    ...stored,
    size: signal(size),
    thumbnail: signal(thumbnail && URL.createObjectURL(thumbnail)),
    jobId: signal(jobId),
    job: signal(undefined),
    problem: signal(undefined),
  };
}

function itemOfJob(job: JobState): Item {
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
    problem: signal(undefined),
  };
}
