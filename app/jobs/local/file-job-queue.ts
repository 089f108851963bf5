import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../logger.ts';
import {
  IdempotencyKeyReusedError,
  JobFinishedError,
  JobInterruptedError,
  JobNotEndedError,
  JobNotFoundError,
  NotAcceptingError,
} from '../errors.ts';
import type { Job, JobHandler, JobPage, JobRequest, Submission } from '../job.ts';
import { hasEnded, initialProgress } from '../job.ts';
import { secondsBetween } from '../job-times.ts';
import type { JobEvents } from '../job-events.ts';
import type { JobFiles } from '../job-files.ts';
import { rememberedName } from '../job-files.ts';
import type { Admission, CallerKey, JobCounts, JobQueue, PlaceLimits } from '../job-queue.ts';
import { MAX_RESTARTS } from '../job-queue.ts';
import type { Entry } from './job-endings.ts';
import { JobEndings, mayAnswerAgain } from './job-endings.ts';
import { JobTable } from './job-table.ts';
import type { Journal } from './journal.ts';
import { QueuePlaces } from './queue-places.ts';
import { RequestKeys } from './request-keys.ts';
import { logInterrupted, runJob } from '../run-job.ts';
import { ServiceRate } from '../service-rate.ts';
import { StartOrder } from './start-order.ts';
import type { StoredJob } from './stored-job.ts';
import { restoredJob, storedJob } from './stored-job.ts';

export interface FileJobQueueOptions extends PlaceLimits {
  readonly files: JobFiles;
  readonly journal: Journal<StoredJob>;
  readonly logger: Logger;
  /** Jobs on images that run at once. */
  readonly workers: number;
  readonly keptJobs?: number;
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
  readonly #endings: JobEndings;
  #handler: JobHandler | undefined;
  #state: 'new' | 'open' | 'draining' | 'closed' = 'new';

  constructor(options: FileJobQueueOptions) {
    this.#options = options;
    this.#journal = options.journal;
    this.#order = new StartOrder(options.workers);
    this.#rate = new ServiceRate(options.workers);
    this.#table = new JobTable(this.#order, this.#rate);
    const running = (): readonly Job[] => this.#runningJobs().filter(({ work }) => work.kind !== 'download');
    this.#places = new QueuePlaces(options, { order: this.#order, rate: this.#rate, running });
    this.#endings = new JobEndings({ ...options, table: this.#table, order: this.#order, keys: this.#keys });
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
    if (!hasEnded(entry.job.status)) await this.#endings.end(entry, { status: 'cancelled' });
    if (entry.job.status !== 'cancelled') throw new JobFinishedError(id, entry.job.status);
    return entry.job;
  }

  async remove(id: string): Promise<void> {
    const { job } = this.#entry(id);
    if (!hasEnded(job.status)) throw new JobNotEndedError(id, job.status);
    await this.#endings.forget([job]);
    this.events.emit('removed', job);
  }

  async expire(ageMs: number): Promise<number> {
    const { files } = this.#options;
    const isOld = (job: Job): boolean => (secondsBetween(job, 'finished', 'now') ?? Infinity) * 1000 > ageMs;
    const isDue = (job: Job): boolean => hasEnded(job.status) && isOld(job) && !files.isBeingRead(job.id);
    const due = this.#table.jobs().filter(isDue);
    if (due.length > 0) await this.#endings.forget(due);
    return due.length;
  }

  async close(drainMs = 0): Promise<void> {
    this.#state = 'draining';
    for (const id of this.#order.upTo(Infinity)) this.#table.emit(id, 'interrupted');
    const running = (): Promise<unknown> => Promise.all([...this.#running.values()]);
    if (drainMs > 0) await Promise.race([running(), sleep(drainMs, undefined, { ref: false })]);
    this.#state = 'closed';
    this.#endings.close();
    for (const id of this.#running.keys()) this.#table.find(id)?.controller?.abort();
    await running();
    await Promise.allSettled(this.#table.entries().flatMap(({ ending }) => ending ?? []));
    await this.#journal.close();
  }

  #runningJobs(): readonly Job[] {
    return [...this.#running.keys()].flatMap((id) => this.#table.find(id)?.job ?? []);
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
      logInterrupted(entry.job, error, this.#options.logger);
      await this.#endings.end(entry, { status: 'failed', error: { code: error.code, message: error.message } });
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
      steady: { created: performance.now() },
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
      const running = this.#runningJobs();
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
      store: () => this.#endings.store(entry.job, entry),
    });
    delete entry.controller; // kept jobs are many
    this.#rate.ran(entry.job);
    const wasStopped = this.#state === 'closed' && outcome.status !== 'completed';
    if (wasStopped && !entry.ending) this.#table.emit(entry.job.id, 'interrupted');
    else
      await this.#endings.end(entry, outcome).catch((error: unknown) => {
        logger.error('the end of a job could not be stored; it runs again at the next start', {
          job_id: entry.job.id,
          error,
        });
      });
    // One that was cancelled may have written until its process was gone.
    if (hasEnded(entry.job.status) && entry.job.status !== 'completed') {
      await this.#endings.removed(files.removeResults(entry.job), entry.job);
    }
  }
}

/** The port is asynchronous, as every other store will be; here nothing has to be waited for. */
function promised<T>(read: () => T): Promise<T> {
  return new Promise((resolve) => resolve(read()));
}
