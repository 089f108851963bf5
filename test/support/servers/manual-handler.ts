import type { Job, JobHandler, JobHooks, JobResult } from '../../../app/jobs/job.ts';

interface Attempt {
  readonly job: Job;
  readonly resolve: (results: readonly JobResult[]) => void;
  readonly reject: (error: Error) => void;
}

/** A handler whose jobs end when the test says so. */
export class ManualHandler {
  /** Ids in the order of their starts, one for every attempt. */
  readonly started: string[] = [];
  readonly #attempts = new Map<string, Attempt>();
  #isOver = false;
  readonly #hooks = new Map<string, JobHooks>();
  readonly #ends = new Map<string, (attempt: Attempt) => void>();
  readonly #arrivals = new Map<string, (job: Job) => void>();
  /** Attempts that `start` has not answered with. */
  readonly #unseen = new Map<string, Job>();

  readonly run: JobHandler = (job, hooks) =>
    new Promise((resolve, reject) => {
      if (this.#isOver) throw new Error('the test is over');
      this.started.push(job.id);
      const attempt = { job, resolve, reject };
      this.#attempts.set(job.id, attempt);
      this.#hooks.set(job.id, hooks);
      this.#unseen.set(job.id, job);
      const arrive = this.#arrivals.get(job.id);
      this.#arrivals.delete(job.id);
      if (arrive) void this.start(job.id).then(arrive);
      const end = this.#ends.get(job.id);
      this.#ends.delete(job.id);
      end?.(attempt);
    });

  /** The job at its next start, or at one that nobody has asked for. */
  start(id: string): Promise<Job> {
    const job = this.#unseen.get(id);
    if (!job) return new Promise((resolve) => this.#arrivals.set(id, resolve));
    this.#unseen.delete(id);
    return Promise.resolve(job);
  }

  /** The job as it runs now, or at its next start. */
  running(id: string): Promise<Job> {
    const attempt = this.#attempts.get(id);
    this.#unseen.delete(id);
    return attempt ? Promise.resolve(attempt.job) : this.start(id);
  }

  hooks(id: string): JobHooks {
    const hooks = this.#hooks.get(id);
    if (!hooks) throw new Error(`job ${id} has not started`);
    return hooks;
  }

  /** A job's end may be decided before it starts. */
  complete(id: string, results: readonly JobResult[]): void {
    this.#end(id, ({ resolve }) => resolve(results));
  }

  fail(id: string, error: Error): void {
    this.#end(id, ({ reject }) => reject(error));
  }

  /** Fails what runs, and what starts from now on. */
  failAll(): void {
    this.#isOver = true;
    for (const { reject } of this.#attempts.values()) reject(new Error('the test is over'));
  }

  #end(id: string, end: (attempt: Attempt) => void): void {
    const attempt = this.#attempts.get(id);
    this.#attempts.delete(id);
    if (attempt) end(attempt);
    else this.#ends.set(id, end);
  }
}
