import { computed, signal } from '@preact/signals';
import { ServiceProblemError, ServiceUnreachableError } from '../../client/errors.ts';
import type { JobsPage, JobState } from '../../client/job-state.ts';
import { madeKey } from '../../client/made-key.ts';
import { ask, isKeyPutOff, wordsOf } from '../service/connection.ts';
import type { StoredItem } from '../service/stored-items.ts';
import { forgetItem, storedItems, storeItem } from '../service/stored-items.ts';
import type { Item } from './items.ts';
import { hasEnded, isOver, itemOf, itemOfJob, items, storedOf } from './items.ts';
import { lookAtPictures, lookAtResults } from './looks.ts';
import type { Settings } from './settings.ts';
import { settings } from './settings.ts';
import { submissionOf } from './submission.ts';
import { hide, isHidden } from './hidden-jobs.ts';

/** The item that is looked at. */
export const chosenId = signal<string | undefined>(undefined);
/** Rises whenever somebody asks to look at a picture. */
export const looks = signal(0);
/** Said to screen readers when the state of something changes. */
export const announcement = signal('');

export const chosenItem = computed(() => items.value.find(({ id }) => id === chosenId.value));
/** Jobs of whose progress somebody has to tell. */
export const activeJobIds = computed(() =>
  items.value.flatMap((item) => (item.jobId.value !== undefined && !isOver(item) ? [item.jobId.value] : [])),
);

const MAX_SENDING = 2;
const RETRY_MS = 2000;
const TOO_MANY = 429;
/** A full queue has a place again when a picture is done. */
const FULL_RETRY_MS = 10_000;
const PAGE = 100;
let sending = 0;

/** Chooses what is looked at. */
export function lookAt(id: string): void {
  chosenId.value = id;
  looks.value++;
}

/** Puts pictures into the queue with the settings as they are, and begins to send them. */
export function enqueue(
  files: readonly { readonly file: Blob; readonly name: string; readonly folder: string }[],
  chosen: Settings = settings.value,
): void {
  const now = Date.now();
  const added = files.map(({ file, name, folder }, index): StoredItem => {
    return { id: madeKey(), createdAt: now + index, name, folder, settings: chosen, file };
  });
  items.value = [...added.map(itemOf).reverse(), ...items.value];
  if (added[0]) lookAt(added[0].id);
  for (const stored of added) void storeItem(stored);
  isKeyPutOff.value = false; // where a key is wanted, it is wanted now
  void sendNext();
  void lookAtPictures(added.map(({ id }) => id));
}

/** The queue as it was before the page was reloaded, and the caller's other jobs. */
export async function restoreQueue(): Promise<void> {
  const kept = (await storedItems()).map(itemOf).reverse();
  items.value = [...items.value, ...kept.filter(({ id }) => items.value.every((item) => item.id !== id))];
  await refreshJobs().catch(() => undefined); // whoever follows the jobs asks again
  chosenId.value ??= items.value[0]?.id;
  void sendNext();
  void lookAtPictures(kept.map(({ id }) => id));
}

/** Asks how all jobs stand. A job that is no longer known has expired, or the service has lost it. */
export async function refreshJobs(): Promise<void> {
  const asked = items.value.filter(({ jobId }) => jobId.value !== undefined); // the answer may not know what is sent meanwhile
  const jobs = await jobsWith(new Set(asked.flatMap((item) => (isOver(item) ? [] : [item.jobId.value]))));
  const byId = new Map(jobs.map((job) => [job.job_id, job]));
  const own = new Set(items.value.map(({ jobId }) => jobId.value));
  for (const item of asked) {
    const job = byId.get(item.jobId.value ?? '');
    if (job) setJob(item, job);
    else if (item.job.value === undefined) await forget(item);
    else if (!isOver(item)) setProblem(item, 'The service no longer knows this job');
  }
  const others = jobs.filter(({ job_id: id, method }) => !own.has(id) && !isHidden(id) && isPictures(method));
  items.value = [...items.value, ...others.map(itemOfJob)].sort((a, b) => b.createdAt - a.createdAt);
  void lookAtResults();
}

/** The newest jobs, and as many of the older ones as it takes to find all that are wanted. */
async function jobsWith(wanted: Set<string | undefined>): Promise<readonly JobState[]> {
  const found: JobState[] = [];
  for (let cursor: string | null = null; ;) {
    const page: JobsPage = await ask((client) => client.jobs({ limit: PAGE, ...(cursor !== null && { cursor }) }));
    found.push(...page.jobs);
    for (const { job_id: id } of page.jobs) wanted.delete(id);
    cursor = page.next_cursor;
    if (wanted.size === 0 || cursor === null) return found;
  }
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

/** Does a picture once more, with the settings as they are now. */
export function again({ file, name, folder }: Item): void {
  if (file) enqueue([{ file, name, folder }]);
}

/** Sends a picture of which nothing came once more, with the settings that it had, in place of the first try. */
export async function retry(item: Item): Promise<void> {
  const { file, name, folder } = item;
  if (!file) return;
  enqueue([{ file, name, folder }], item.settings);
  await forget(item);
}

/** Takes an item out of the list; its job, where it still runs, is called off. */
export async function remove(item: Item): Promise<void> {
  const id = item.jobId.value;
  await forget(item);
  if (id !== undefined && !isOver(item)) await ask((client) => client.cancel(id));
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
  if (hasEnded(item.job.value) && !hasEnded(job)) return; // an answer that was overtaken by the end of what it tells of
  const before = item.job.value?.status;
  item.job.value = job;
  if (before === job.status || !hasEnded(job)) return;
  announcement.value = `${item.name}: ${job.status}`;
  void lookAtResults();
}

function setProblem(item: Item, problem: string): void {
  item.problem.value = problem;
  announcement.value = `${item.name}: ${problem}`;
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
    const id = await untilTaken(item, () => ask((client) => client.submit(submission, { idempotencyKey: item.id })));
    if (items.value.every((one) => one.id !== item.id)) {
      await ask((client) => client.cancel(id)); // it was called off meanwhile
      return;
    }
    item.jobId.value = id;
    items.value = items.value.filter((one) => one === item || one.jobId.value !== id); // it was listed before it was answered
    await storeItem(storedOf(item));
    setJob(item, await ask((client) => client.job(id)));
  } catch (error) {
    setProblem(item, wordsOf(error));
  }
}

/** A service that is away for a while, or full, does not lose a picture: it is sent when there is an answer again, or a place. */
async function untilTaken<T>(item: Item, act: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await act();
    } catch (error) {
      const isWanted = items.value.some(({ id }) => id === item.id);
      const isFull = error instanceof ServiceProblemError && error.status === TOO_MANY;
      if (!(isFull || error instanceof ServiceUnreachableError) || !isWanted) throw error;
      item.hindrance.value = isFull ? 'Waiting for a place in the queue' : undefined;
      await new Promise((resolve) => setTimeout(resolve, isFull ? FULL_RETRY_MS : RETRY_MS));
    }
  }
}
