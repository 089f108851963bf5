import type { Job, JobHandler, JobHooks } from '../../../app/jobs/job.ts';
import type { JobFiles } from '../../../app/jobs/job-files.ts';
import { echoResults } from './http-service.ts';

/** Jobs that run until the test lets them go, then answer with the image they were given. */
export class HeldJobs {
  readonly #held = new Map<string, { readonly job: Job; readonly hooks: JobHooks; release: (error?: Error) => void }>();
  readonly #arrivals: ((id: string) => void)[] = [];

  readonly handle =
    (files: JobFiles): JobHandler =>
    async (job, hooks) => {
      await new Promise<void>((resolve, reject) => {
        const release = (error?: Error): void => (error ? reject(error) : resolve());
        this.#held.set(job.id, { job, hooks, release });
        hooks.signal.addEventListener('abort', () => release(new Error('cancelled')));
        this.#arrivals.splice(0).forEach((arrive) => arrive(job.id));
      });
      return echoResults(files, job);
    };

  /** The id of the next job that starts. */
  next(): Promise<string> {
    return new Promise((resolve) => this.#arrivals.push(resolve));
  }

  hooks(id: string): JobHooks {
    const held = this.#held.get(id);
    if (!held) throw new Error(`job ${id} has not started`);
    return held.hooks;
  }

  complete(id: string): void {
    this.#held.get(id)?.release();
  }

  fail(id: string, error: Error): void {
    this.#held.get(id)?.release(error);
  }
}
