import type { Logger } from '../../logger.ts';
import type { Job } from '../job.ts';
import type { JobFiles } from '../job-files.ts';

/** Removes the files that jobs leave. What cannot be removed is logged, and left to the janitor. */
export class Leavings {
  readonly #files: JobFiles;
  readonly #logger: Logger;

  constructor(files: JobFiles, logger: Logger) {
    this.#files = files;
    this.#logger = logger;
  }

  /** What a job that has ended needs no more. */
  async clear(job: Job): Promise<void> {
    await this.#removed(job.id, async () => {
      await this.#files.removeInputs(job);
      if (job.status !== 'completed') await this.#files.removeResults(job);
    });
  }

  /** The results of jobs that are gone. */
  async removeResults(ids: readonly string[]): Promise<void> {
    for (const id of ids) await this.#removed(id, () => this.#files.removeResults({ id }));
  }

  async #removed(id: string, remove: () => Promise<void>): Promise<void> {
    try {
      await remove();
    } catch (error) {
      this.#logger.warn('files of a job could not be removed', { job_id: id, error });
    }
  }
}
