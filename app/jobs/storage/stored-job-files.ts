import { access } from 'node:fs/promises';
import type { Job, JobRequest, JobResult } from '../job.ts';
import { JobFiles, rememberedName } from '../job-files.ts';
import type { DigestedFile, ObjectStore, Patience } from './object-store.ts';
import { BRIEFLY, PATIENTLY } from './object-store.ts';

const INPUTS = 'inputs/';
const RESULTS = 'results/';
const ID_LENGTH = 32;
/** Before what lies in the store and not in a folder. */
const REMOTE = 'store:';

/**
 * Files of jobs that servers share by an object store. What has to last is there; the folders hold what this server is at
 * work with, and copies of results that were asked for here.
 */
export class StoredJobFiles extends JobFiles {
  readonly #store: ObjectStore;
  readonly #fetching = new Map<string, Promise<void>>();

  constructor(folders: ConstructorParameters<typeof JobFiles>[0], store: ObjectStore) {
    super(folders);
    this.#store = store;
  }

  override async prepare(): Promise<void> {
    await super.prepare();
    await this.#store.check();
  }

  /** Whoever runs the job fetches them from the store: here they are needed no more. */
  override async syncInputs(request: Pick<JobRequest, 'inputs'>): Promise<void> {
    await Promise.all(request.inputs.map((input) => this.#store.put(inputKey(input), input, BRIEFLY)));
    await super.removeInputs(request);
  }

  override async bringInputs({ inputs }: Pick<Job, 'inputs'>): Promise<void> {
    await Promise.all(inputs.map((input) => this.#bring(inputKey(input), input, PATIENTLY)));
  }

  override async syncResults(job: Pick<Job, 'id' | 'attempt'>, results: readonly JobResult[]): Promise<void> {
    await Promise.all(results.map((result) => this.#store.put(resultKey(job, result), result, PATIENTLY)));
  }

  override async removeInputs(job: Pick<JobRequest, 'inputs'>): Promise<void> {
    await super.removeInputs(job);
    await this.#store.remove(job.inputs.map(inputKey));
  }

  override async removeEarlierResults(job: Pick<Job, 'id' | 'attempt'>): Promise<void> {
    await super.removeEarlierResults(job);
    if (job.attempt === 1) return;
    const keys = (await this.#store.list(`${RESULTS}${job.id}/`)).map(({ key }) => key);
    await this.#store.remove(keys.filter((key) => Number(key.split('/')[2]) < job.attempt));
  }

  override async removeAttempt(job: Pick<Job, 'id' | 'attempt'>): Promise<void> {
    await super.removeAttempt(job);
    await this.#removeUnder(`${RESULTS}${job.id}/${job.attempt}/`);
  }

  /** For a job that is over: copies of its inputs that a run here had are no more of use. */
  override async removeResults(job: Pick<Job, 'id'>): Promise<void> {
    await super.removeResults(job);
    await this.removeLocalInputs(job);
    await this.#removeUnder(`${RESULTS}${job.id}/`);
  }

  override async reading<T>(job: Pick<Job, 'id' | 'attempt' | 'results'>, read: () => Promise<T>): Promise<T> {
    return super.reading(job, async () => {
      await this.createResultFolder(job);
      await Promise.all(job.results.map((result) => this.#bring(resultKey(job, result), result, BRIEFLY)));
      return read();
    });
  }

  override async olderThan(modifiedBefore: number): ReturnType<JobFiles['olderThan']> {
    const stored = [...(await this.#store.list(INPUTS)), ...(await this.#store.list(RESULTS))];
    const old = stored
      .filter(({ modifiedMs }) => modifiedMs < modifiedBefore)
      .map(({ key }) => ({
        path: REMOTE + key,
        jobId: key.slice(key.indexOf('/') + 1).slice(0, ID_LENGTH),
      }));
    return [...(await super.olderThan(modifiedBefore)), ...old];
  }

  override async removeAt(path: string): Promise<void> {
    if (path.startsWith(REMOTE)) await this.#store.remove([path.slice(REMOTE.length)]);
    else await super.removeAt(path);
  }

  /** Those who ask for the same at once wait for one copy of it. */
  async #bring(key: string, digested: DigestedFile, patience: Patience): Promise<void> {
    const isHere = await access(digested.file).then(
      () => true,
      () => false,
    );
    if (isHere) return;
    const fetching = this.#fetching.get(key) ?? this.#store.get(key, digested, patience);
    this.#fetching.set(key, fetching);
    await fetching.finally(() => this.#fetching.delete(key));
  }

  async #removeUnder(under: string): Promise<void> {
    await this.#store.remove((await this.#store.list(under)).map(({ key }) => key));
  }
}

function inputKey(input: { readonly file: string }): string {
  return INPUTS + rememberedName(input);
}

function resultKey({ id, attempt }: Pick<Job, 'id' | 'attempt'>, result: { readonly file: string }): string {
  return `${RESULTS}${id}/${attempt}/${rememberedName(result)}`;
}
