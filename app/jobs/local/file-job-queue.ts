import type { Logger } from '../../logger.ts';
import {
  IdempotencyKeyReusedError,
  JobFinishedError,
  JobInterruptedError,
  JobNotFoundError,
  NotAcceptingError,
} from '../errors.ts';
import type { Job, JobHandler, JobPage, JobRequest, Submission } from '../job.ts';
import { hasEnded, initialProgress } from '../job.ts';
import type { JobEvents } from '../job-events.ts';
import type { JobFiles } from '../job-files.ts';
import { rememberedName } from '../job-files.ts';
import type { Admission, CallerKey, JobCounts, JobQueue } from '../job-queue.ts';
import { KEPT_JOBS, MAX_RESTARTS } from '../job-queue.ts';
import { JobTable } from './job-table.ts';
import type { Journal } from './journal.ts';
import type { PlaceLimits } from './queue-places.ts';
import { QueuePlaces } from './queue-places.ts';
import { RequestKeys } from './request-keys.ts';
import type { JobOutcome } from '../run-job.ts';
import { runJob } from '../run-job.ts';
import { ServiceRate } from '../service-rate.ts';
import { StartOrder } from './start-order.ts';
import type { StoredJob } from './stored-job.ts';
import { restoredJob, storedJob } from './stored-job.ts';

/** How often the end of a job is written again to a disk that is full. */
const STORE_RETRY_MS = 1000;

export interface FileJobQueueOptions extends PlaceLimits {
  readonly files: JobFiles;
  readonly journal: Journal<StoredJob>;
  readonly logger: Logger;
  /** Jobs on images that run at once. */
  readonly workers: number;
  readonly keptJobs?: number;
}

/** A job in memory; `job` is replaced, never changed. */
interface Entry {
  job: Job;
  crashes: number;
  restarts: number;
  /** While it runs. */
  controller?: AbortController;
  /** Its end, from when it is decided until it is stored: the first to decide it has decided. */
  ending?: Promise<void>;
}

/** Jobs of one server, kept in a journal on its disk. */
export class FileJobQueue implements JobQueue {
  readonly #options: FileJobQueueOptions;
  readonly #journal: Journal<StoredJob>;
  readonly #keys = new RequestKeys<Entry>();
  readonly #running = new Map<string, Promise<void>>();
  readonly #order: StartOrder;
  readonly #rate: ServiceRate;
  readonly #table: JobTable<Entry>;
  readonly #places: QueuePlaces;
  #handler: JobHandler | undefined;
  #state: 'new' | 'open' | 'draining' | 'closed' = 'new';

  constructor(options: FileJobQueueOptions) {
    this.#options = options;
    this.#journal = options.journal;
    this.#order = new StartOrder(options.workers);
    this.#rate = new ServiceRate(options.workers);
    this.#table = new JobTable(this.#order, this.#rate);
    this.#places = new QueuePlaces(options, this.#order, this.#rate);
  }

  get events(): JobEvents {
    return this.#table.events;
  }

  get isAccepting(): boolean {
    return this.#state === 'open' && this.#journal.isUsable;
  }

  async start(handler: JobHandler): Promise<void> {
    const { files, logger } = this.#options;
    const { values, damagedLines } = await this.#journal.open();
    if (damagedLines > 0) logger.warn('lines of the journal were damaged, and left out', { lines: damagedLines });
    await Promise.all(values.map((stored) => this.#recover(stored)));
    const jobs = this.#table.jobs();
    const inputs = jobs.filter(({ status }) => !hasEnded(status)).flatMap((job) => job.inputs.map(rememberedName));
    const results = jobs.filter(({ status }) => status === 'completed').map(({ id }) => id);
    const removed = await files.removeStrangers({ inputs: new Set(inputs), results: new Set(results) });
    logger.info('jobs recovered', { jobs: jobs.length, waiting: this.#order.size, orphans_removed: removed });
    this.#handler = handler;
    this.#state = 'open';
    this.#startNext();
  }

  admit({ caller, idempotencyKey: key }: Admission): Promise<void> {
    return promised(() => {
      this.#assertAccepting();
      if (key === undefined || !this.#keys.find({ caller, key })) this.#places.assertFree(caller);
    });
  }

  async submit(request: JobRequest): Promise<Submission> {
    try {
      // Of two requests that come at once the second finds the key of the first, and waits until that is stored.
      const earlier = this.#keys.earlier(request);
      if (!earlier) return { job: await this.#accept(request), isReplay: false };
      const { job } = await earlier;
      if (job.idempotency?.fingerprint !== request.idempotency?.fingerprint)
        throw new IdempotencyKeyReusedError(job.id);
      await this.#options.files.removeInputs(request);
      return { job: await this.get(job.id), isReplay: true };
    } catch (error) {
      await this.#options.files.removeInputs(request);
      throw error;
    }
  }

  get(id: string): Promise<Job> {
    return promised(() => this.#table.snapshot(this.#entry(id)));
  }

  async findByKey(key: CallerKey): Promise<Job | undefined> {
    this.#assertStarted();
    const entry = await this.#keys.find(key)?.catch(() => undefined);
    return entry && this.#table.snapshot(entry);
  }

  list(page: Parameters<JobQueue['list']>[0]): Promise<JobPage> {
    return promised(() => {
      this.#assertStarted();
      if (page.after !== undefined) this.#entry(page.after);
      return this.#table.page(page);
    });
  }

  counts(): Promise<JobCounts> {
    return promised(() => ({ queued: this.#order.size, processing: this.#running.size }));
  }

  async cancel(id: string): Promise<Job> {
    const entry = this.#entry(id);
    if (!hasEnded(entry.job.status)) await this.#end(entry, { status: 'cancelled' });
    if (entry.job.status !== 'cancelled') throw new JobFinishedError(id, entry.job.status);
    return entry.job;
  }

  async expire(endedBefore: number): Promise<number> {
    const { files } = this.#options;
    const isDue = ({ id, status, finishedAt = 0 }: Job): boolean =>
      hasEnded(status) && finishedAt < endedBefore && !files.isBeingRead(id);
    const due = this.#table.jobs().filter(isDue);
    if (due.length > 0) await this.#forget(due);
    return due.length;
  }

  async close(drainMs = 0): Promise<void> {
    this.#state = 'draining';
    for (const id of this.#order.upTo(Infinity)) this.#table.emit(id, 'interrupted');
    const running = (): Promise<unknown> => Promise.all([...this.#running.values()]);
    if (drainMs > 0) await Promise.race([running(), later(drainMs)]);
    this.#state = 'closed';
    for (const id of this.#running.keys()) this.#table.find(id)?.controller?.abort();
    await running();
    await Promise.allSettled(this.#table.entries().flatMap(({ ending }) => ending ?? []));
    await this.#journal.close();
  }

  /** Takes up a job where an earlier server left it. */
  async #recover(stored: StoredJob): Promise<void> {
    const entry: Entry = restoredJob(stored, this.#options.files);
    this.#table.add(entry);
    if (mayAnswerAgain(entry.job)) this.#keys.claim(entry.job, Promise.resolve(entry));
    if (stored.status === 'queued') this.#order.add(entry.job);
    if (stored.status !== 'processing') return;
    entry.restarts++;
    if (entry.restarts > MAX_RESTARTS) {
      const error = new JobInterruptedError(entry.restarts);
      await this.#end(entry, { status: 'failed', error: { code: error.code, message: error.message } });
      return;
    }
    this.#order.addFirst(entry.job);
    await this.#journal.put(storedJob(entry));
  }

  #entry(id: string): Entry {
    this.#assertStarted();
    const entry = this.#table.find(id);
    if (!entry) throw new JobNotFoundError(id);
    return entry;
  }

  #assertStarted(): void {
    if (this.#state === 'new') throw new NotAcceptingError();
  }

  #assertAccepting(): void {
    if (!this.isAccepting) throw new NotAcceptingError();
  }

  async #accept(request: JobRequest): Promise<Job> {
    this.#assertAccepting();
    this.#places.assertFree(request.caller);
    return this.#places.holding(request.caller, async () => {
      const storing = this.#store(request);
      this.#keys.claim(request, storing);
      const entry = await storing;
      this.#table.add(entry);
      this.#order.add(entry.job);
      const accepted = this.#table.snapshot(entry);
      this.#table.change(entry, {});
      this.#startNext();
      return accepted;
    });
  }

  /** The inputs first: a job in the journal always has its files. */
  async #store(request: JobRequest): Promise<Entry> {
    const job: Job = {
      ...request,
      status: 'queued',
      queuePosition: 0,
      progress: initialProgress(request),
      results: [],
      failures: [],
      createdAt: Date.now(),
      attempt: 0,
    };
    const entry: Entry = { job, crashes: 0, restarts: 0 };
    await this.#options.files.syncInputs(request);
    await this.#journal.put(storedJob(entry));
    return entry;
  }

  #startNext(): void {
    const handler = this.#handler;
    while (handler && this.#state === 'open') {
      const running = [...this.#running.keys()].flatMap((id) => this.#table.find(id)?.job ?? []);
      const entry = this.#table.find(this.#order.next(running) ?? '');
      if (!entry) return;
      this.#table.tellPositions();
      const { id } = entry.job;
      const run = this.#run(entry, handler).finally(() => {
        this.#running.delete(id);
        this.#startNext();
      });
      this.#running.set(id, run);
    }
  }

  async #run(entry: Entry, handler: JobHandler): Promise<void> {
    const { files, logger } = this.#options;
    const controller = new AbortController();
    entry.controller = controller;
    const outcome = await runJob(entry, {
      handler,
      files,
      logger,
      signal: controller.signal,
      change: (change) => this.#table.change(entry, change),
      store: () => this.#persist(entry.job, entry),
    });
    this.#rate.ran(entry.job);
    const wasStopped = this.#state === 'closed' && outcome.status !== 'completed';
    if (wasStopped && !entry.ending) this.#table.emit(entry.job.id, 'interrupted');
    else
      await this.#end(entry, outcome).catch((error: unknown) => {
        logger.error('the end of a job could not be stored; it runs again at the next start', {
          job_id: entry.job.id,
          error,
        });
      });
    // One that was cancelled may have written until its process was gone.
    if (hasEnded(entry.job.status) && entry.job.status !== 'completed') {
      await this.#removed(files.removeResults(entry.job), entry.job);
    }
  }

  /** Decides the end of a job, if nobody has before, and waits until it is stored and told. */
  #end(entry: Entry, outcome: JobOutcome): Promise<void> {
    entry.ending ??= this.#finish(entry, outcome);
    return entry.ending;
  }

  async #finish(entry: Entry, outcome: JobOutcome): Promise<void> {
    const { files } = this.#options;
    entry.controller?.abort();
    const hasWaited = this.#order.remove(entry.job);
    const ended = { ...entry.job, ...outcome, queuePosition: 0, finishedAt: Date.now() };
    await this.#persist(ended, entry);
    await this.#removed(files.removeInputs(ended), ended);
    if (outcome.status !== 'completed') await this.#removed(files.removeResults(ended), ended);
    if (!mayAnswerAgain(ended)) await this.#keys.release(ended);
    this.#table.end(entry, ended);
    if (hasWaited) this.#table.tellPositions();
    await this.#evict();
  }

  /** A disk that is full now may have room later; one that fails will not. */
  async #persist(job: Job, { crashes, restarts }: Entry): Promise<void> {
    for (;;) {
      try {
        await this.#journal.put(storedJob({ job, crashes, restarts }));
        return;
      } catch (error) {
        if (!this.#journal.isUsable || this.#state === 'closed') throw error;
        this.#options.logger.error('a job could not be stored; trying again', { job_id: job.id, error });
        await later(STORE_RETRY_MS);
      }
    }
  }

  async #evict(): Promise<void> {
    const ended = this.#table.jobs().filter(({ status }) => hasEnded(status));
    const surplus = ended.length - (this.#options.keptJobs ?? KEPT_JOBS);
    if (surplus > 0) await this.#forget(ended.slice(0, surplus));
  }

  /** The journal first: a job that is still known has its files. */
  async #forget(jobs: readonly Job[]): Promise<void> {
    await this.#journal.remove(jobs.map(({ id }) => id));
    for (const job of jobs) {
      this.#table.delete(job.id);
      await this.#keys.release(job);
      await this.#removed(this.#options.files.removeResults(job), job);
    }
  }

  /** Waits for a removal; one that fails is told in the log and nowhere else. */
  async #removed(removal: Promise<void>, job: Job): Promise<void> {
    await removal.catch((error: unknown) => {
      this.#options.logger.warn('files of a job could not be removed', { job_id: job.id, error });
    });
  }
}

/** Whoever asks again for what failed or was cancelled wants it done, not told once more. */
function mayAnswerAgain({ status }: Job): boolean {
  return !hasEnded(status) || status === 'completed';
}

/** The port is asynchronous, as every other store will be; here nothing has to be waited for. */
function promised<T>(read: () => T): Promise<T> {
  return new Promise((resolve) => resolve(read()));
}

function later(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
