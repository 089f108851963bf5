import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Job, JobRequest } from './job.ts';

/** Where the files of jobs lie. Names are made from job ids alone: nothing that a caller sends becomes part of a path. */
export class JobFiles {
  readonly #uploadFolder: string;
  readonly #processedFolder: string;

  /** Folders as absolute paths; `prepare` creates them. */
  constructor(folders: { readonly uploadFolder: string; readonly processedFolder: string }) {
    this.#uploadFolder = folders.uploadFolder;
    this.#processedFolder = folders.processedFolder;
  }

  async prepare(): Promise<void> {
    await mkdir(this.#uploadFolder, { recursive: true });
    await mkdir(this.#processedFolder, { recursive: true });
  }

  /** The file of a job's `index`-th input. */
  input(jobId: string, index: number): string {
    return join(this.#uploadFolder, `${jobId}-${index}`);
  }

  /** The file of a job's `index`-th result, without an extension. Its folder is the job's own. */
  resultStem(jobId: string, index: number): string {
    return join(this.#resultFolder(jobId), String(index));
  }

  async createResultFolder(jobId: string): Promise<void> {
    await mkdir(this.#resultFolder(jobId), { recursive: true });
  }

  async removeInputs(job: Pick<JobRequest, 'inputs'>): Promise<void> {
    await Promise.all(job.inputs.map(({ file }) => rm(file, { force: true })));
  }

  /** Takes half-written results with it: whatever a killed worker left is in the job's folder. */
  async removeResults(job: Pick<Job, 'id'>): Promise<void> {
    await rm(this.#resultFolder(job.id), { recursive: true, force: true });
  }

  #resultFolder(jobId: string): string {
    return join(this.#processedFolder, jobId);
  }
}
