import { HiresFixError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { WorkProgress } from '../processing/progress.ts';
import {
  IdempotencyKeyReusedError,
  JobFinishedError,
  JobNotFoundError,
  NotAcceptingError,
  QueueFullError,
} from './errors.ts';
import type { EndStatus, Job, JobError, JobHandler, JobPage, JobRequest, JobResult, Submission } from './job.ts';
import { hasEnded } from './job.ts';
import { JobEvents, ProgressThrottle } from './job-events.ts';
import type { JobFiles } from './job-files.ts';
import { ServiceRate } from './service-rate.ts';

/** Ended jobs that are kept with their results; the oldest go first. */
const KEPT_JOBS = 100;
const INTERNAL: JobError = { code: 'ERR_INTERNAL', message: 'Internal processing error' };

export interface MemoryJobQueueOptions {
  readonly files: JobFiles;
  readonly logger: Logger;
  /** Jobs that run at once. */
  readonly workers: number;
  /** Jobs that may wait. */
  readonly maxQueue: number;
  readonly keptJobs?: number;
}

type Outcome = { readonly status: EndStatus } & Partial<Job>;

interface Entry {
  job: Job;
  /** While it runs. */
  controller?: AbortController;
}

/** Jobs in this process, first come first served. They, their inputs and their results end with it. */
export class MemoryJobQueue {
  readonly events = new JobEvents();
  readonly #options: MemoryJobQueueOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #keys = new Map<string, string>();
  readonly #running = new Map<string, Promise<void>>();
  readonly #rate: ServiceRate;
  readonly #throttle = new ProgressThrottle((id) => this.#emit(id, 'progress'));
  #waiting: Entry[] = [];
  #ended: Entry[] = [];
  #handler: JobHandler | undefined;
  #isClosed = false;

  constructor(options: MemoryJobQueueOptions) {
    this.#options = options;
    this.#rate = new ServiceRate(options.workers);
  }

  /** Whether jobs are taken: after `process`, until `close`. */
  get isAccepting(): boolean {
    return this.#handler !== undefined && !this.#isClosed;
  }

  /** Starts running jobs. */
  process(handler: JobHandler): void {
    this.#handler = handler;
    this.#startNext();
  }

  /** Throws what `submit` would throw by the state of the queue alone, so that a request is refused before its body is read. */
  admit(idempotencyKey?: string): void {
    if (!this.isAccepting) throw new NotAcceptingError();
    if (idempotencyKey !== undefined && this.#keys.has(idempotencyKey)) return;
    const waiting = this.#waiting.length;
    if (waiting >= this.#options.maxQueue) throw new QueueFullError(waiting, this.#rate.secondsUntilFree());
  }

  /** Takes a job and its input files; those of a request that is refused, or was made before, are removed. */
  async submit(request: JobRequest): Promise<Submission> {
    try {
      const earlier = this.#replayed(request);
      if (earlier === undefined) return { job: this.#enqueue(request), isReplay: false };
      await this.#options.files.removeInputs(request);
      return { job: earlier, isReplay: true };
    } catch (error) {
      await this.#options.files.removeInputs(request);
      throw error;
    }
  }

  /** Throws `JobNotFoundError`. */
  get(id: string): Promise<Job> {
    return promised(() => this.#entry(id).job);
  }

  /** The job that an idempotency key names now. */
  findByKey(idempotencyKey: string): Promise<Job | undefined> {
    return promised(() => {
      const id = this.#keys.get(idempotencyKey);
      return id === undefined ? undefined : this.#entry(id).job;
    });
  }

  /** Newest first; `after` is the `next` of the page before. */
  list({ limit, after }: { readonly limit: number; readonly after?: string }): Promise<JobPage> {
    return promised(() => {
      const newestFirst = [...this.#entries.values()].reverse();
      const start = after === undefined ? 0 : newestFirst.indexOf(this.#entry(after)) + 1;
      const jobs = newestFirst.slice(start, start + limit).map(({ job }) => job);
      const last = jobs.at(-1);
      return last !== undefined && start + limit < newestFirst.length ? { jobs, next: last.id } : { jobs };
    });
  }

  /** Ends a job at once; where it runs, its process is stopped. Throws `JobNotFoundError`, `JobFinishedError`. */
  cancel(id: string): Promise<Job> {
    return promised(() => {
      const entry = this.#entry(id);
      if (entry.job.status === 'cancelled') return entry.job;
      if (hasEnded(entry.job.status)) throw new JobFinishedError(id, entry.job.status);
      this.#cancel(entry);
      return entry.job;
    });
  }

  /** Takes no more jobs, cancels those that wait, gives those that run `drainMs`, and removes every file. */
  async close(drainMs = 0): Promise<void> {
    this.#isClosed = true;
    for (const entry of [...this.#waiting]) this.#cancel(entry);
    const running = Promise.all(this.#running.values());
    if (drainMs > 0) await Promise.race([running, later(drainMs)]);
    for (const id of this.#running.keys()) {
      const entry = this.#entries.get(id);
      if (entry && !hasEnded(entry.job.status)) this.#cancel(entry);
    }
    await running;
    const { files } = this.#options;
    const jobs = [...this.#entries.values()].map(({ job }) => job);
    await Promise.all(jobs.flatMap((job) => [files.removeInputs(job), files.removeResults(job)]));
  }

  #entry(id: string): Entry {
    const entry = this.#entries.get(id);
    if (!entry) throw new JobNotFoundError(id);
    return entry;
  }

  #replayed({ idempotency }: JobRequest): Job | undefined {
    const id = idempotency && this.#keys.get(idempotency.key);
    if (id === undefined) return undefined;
    const { job } = this.#entry(id);
    if (job.idempotency?.fingerprint !== idempotency?.fingerprint) throw new IdempotencyKeyReusedError(id);
    return job;
  }

  #enqueue(request: JobRequest): Job {
    this.admit();
    const images = request.inputs.length;
    const entry: Entry = {
      job: {
        ...request,
        status: 'queued',
        queuePosition: this.#waiting.length + 1,
        progress: { stage: 'queued', progress: 0, stageProgress: 0, image: 1, images },
        results: [],
        createdAt: Date.now(),
      },
    };
    this.#entries.set(request.id, entry);
    if (request.idempotency) this.#keys.set(request.idempotency.key, request.id);
    this.#waiting.push(entry);
    const accepted = entry.job;
    this.#throttle.changed(request.id);
    this.#startNext();
    return accepted;
  }

  #startNext(): void {
    const handler = this.#handler;
    while (handler && this.#running.size < this.#options.workers) {
      const entry = this.#waiting.shift();
      if (!entry) return;
      this.#moveUp();
      this.#running.set(entry.job.id, this.#run(entry, handler));
    }
  }

  async #run(entry: Entry, handler: JobHandler): Promise<void> {
    const { files } = this.#options;
    const controller = new AbortController();
    entry.controller = controller;
    this.#change(entry, { status: 'processing', queuePosition: 0, startedAt: Date.now() });
    const onProgress = (progress: WorkProgress): void => this.#progress(entry, progress);
    let outcome: Outcome;
    try {
      const results = await handler(entry.job, { signal: controller.signal, onProgress });
      outcome = completed(entry.job, results);
    } catch (error) {
      outcome = { status: 'failed', error: this.#failure(error, entry.job) };
    }
    await this.#removed(files.removeInputs(entry.job), entry.job);
    this.#running.delete(entry.job.id);
    this.#rate.ran(entry.job);
    this.#end(entry, outcome);
    if (entry.job.status !== 'completed') await this.#removed(files.removeResults(entry.job), entry.job);
    this.#startNext();
  }

  #progress(entry: Entry, progress: WorkProgress): void {
    if (entry.job.status !== 'processing') return;
    // A second attempt begins at 0 again; the job does not go back. 1 is for a job whose results can be fetched.
    const reached = Math.max(entry.job.progress.progress, Math.min(progress.progress, 0.999));
    this.#change(entry, { progress: { ...progress, progress: reached } });
  }

  #cancel(entry: Entry): void {
    const isRunning = entry.controller !== undefined;
    if (!isRunning) this.#waiting = this.#waiting.filter((other) => other !== entry);
    this.#end(entry, { status: 'cancelled' });
    if (isRunning) return entry.controller?.abort();
    this.#moveUp();
    void this.#removed(this.#options.files.removeInputs(entry.job), entry.job);
  }

  #end(entry: Entry, outcome: Outcome): void {
    if (hasEnded(entry.job.status)) return;
    const { id, idempotency } = entry.job;
    this.#throttle.drop(id);
    entry.job = { ...entry.job, ...outcome, queuePosition: 0, finishedAt: Date.now() };
    // Whoever asks again for what failed or was cancelled wants it done, not told once more.
    if (idempotency && outcome.status !== 'completed') this.#keys.delete(idempotency.key);
    this.#ended.push(entry);
    this.#evict();
    this.#emit(id, outcome.status);
  }

  #evict(): void {
    const surplus = this.#ended.splice(0, Math.max(0, this.#ended.length - (this.#options.keptJobs ?? KEPT_JOBS)));
    for (const { job } of surplus) {
      this.#entries.delete(job.id);
      if (job.idempotency && this.#keys.get(job.idempotency.key) === job.id) this.#keys.delete(job.idempotency.key);
      void this.#removed(this.#options.files.removeResults(job), job);
    }
  }

  #moveUp(): void {
    for (const [index, entry] of this.#waiting.entries()) this.#change(entry, { queuePosition: index + 1 });
  }

  #change(entry: Entry, change: Partial<Job>): void {
    entry.job = { ...entry.job, ...change };
    this.#throttle.changed(entry.job.id);
  }

  #emit(id: string, event: 'progress' | EndStatus): void {
    const entry = this.#entries.get(id);
    if (entry) this.events.emit(event, entry.job);
  }

  #failure(error: unknown, job: Job): JobError {
    // A worker reports what it did not foresee as internal, with its stack: that is for the log.
    const isForeseen = error instanceof HiresFixError && error.code !== INTERNAL.code;
    if (isForeseen) return { code: error.code, message: error.message };
    this.#options.logger.error('job failed unexpectedly', { job_id: job.id, error });
    return INTERNAL;
  }

  /** Waits for a removal; one that fails is told in the log and nowhere else. */
  async #removed(removal: Promise<void>, job: Job): Promise<void> {
    await removal.catch((error: unknown) => {
      this.#options.logger.warn('files of a job could not be removed', { job_id: job.id, error });
    });
  }
}

function completed(job: Job, results: readonly JobResult[]): Outcome {
  const { images } = job.progress;
  return {
    status: 'completed',
    results,
    progress: { stage: 'encoding', progress: 1, stageProgress: 1, image: images, images },
  };
}

/** The port is asynchronous, as every other store will be; here nothing has to be waited for. */
function promised<T>(read: () => T): Promise<T> {
  return new Promise((resolve) => resolve(read()));
}

function later(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
