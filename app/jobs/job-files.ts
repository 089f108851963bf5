import type { Dirent } from 'node:fs';
import { access, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { FolderUnusableError } from './errors.ts';
import type { Job, JobRequest, JobResult } from './job.ts';
import { DiskRoom } from '../files/disk-room.ts';
import { makeUsableFolder } from '../files/usable-folder.ts';
import type { ServerFolders } from '../files/without-paths.ts';
import { withoutPaths } from '../files/without-paths.ts';
import { syncFile, syncFolder } from '../files/durable-file.ts';

/** Of the processed folder: the journal, scratch files and the cache lie in it. */
const STATE = '.state';
const ID_LENGTH = 32;
const JOB_ID = /^[0-9a-f]{32}$/;
const INPUT_NAME = /^[0-9a-f]{32}-\d+$/;

/** Where the files of jobs lie. Names are made from job ids alone: nothing that a caller sends becomes part of a path. */
export class JobFiles {
  /** On the disks of both folders. */
  readonly room: DiskRoom;
  readonly #folders: ServerFolders;
  readonly #uploadFolder: string;
  readonly #processedFolder: string;
  readonly #readers = new Map<string, number>();
  readonly #folderSyncs = new Map<string, FolderSync>();

  /** Folders as absolute paths; `prepare` creates them. */
  constructor(folders: ServerFolders & { readonly maxFileSizeBytes?: number }) {
    this.#folders = folders;
    this.room = new DiskRoom([folders.uploadFolder, folders.processedFolder], folders.maxFileSizeBytes ?? 0);
    this.#uploadFolder = folders.uploadFolder;
    this.#processedFolder = folders.processedFolder;
  }

  /** A message about a job as its caller may read it. */
  withoutPaths(text: string): string {
    return withoutPaths(text, this.#folders);
  }

  get stateFolder(): string {
    return join(this.#processedFolder, STATE);
  }

  /** @throws FolderUnusableError */
  async prepare(): Promise<void> {
    await prepareFolder('UPLOAD_FOLDER', this.#uploadFolder);
    await prepareFolder('PROCESSED_FOLDER', this.stateFolder);
  }

  /** The file of a job's `index`-th input. */
  input(jobId: string, index: number): string {
    return join(this.#uploadFolder, `${jobId}-${index}`);
  }

  /** An input's file by its name alone, which is how it is remembered: folders may move between two servers. */
  inputNamed(name: string): string {
    return join(this.#uploadFolder, name);
  }

  /**
   * The file of a job's `index`-th result, without an extension. Each attempt has a folder of its own: a worker that outlives
   * its server must not write where the next one does.
   */
  resultStem({ id, attempt }: Pick<Job, 'id' | 'attempt'>, index: number): string {
    return join(this.#attemptFolder(id, attempt), String(index));
  }

  /** Where a small picture lies of what is finished of a result, while it is being made. */
  sketch(job: Pick<Job, 'id' | 'attempt'>, index: number): string {
    return `${this.resultStem(job, index)}.sketch`;
  }

  resultNamed({ id, attempt }: Pick<Job, 'id' | 'attempt'>, name: string): string {
    return join(this.#attemptFolder(id, attempt), name);
  }

  async createResultFolder({ id, attempt }: Pick<Job, 'id' | 'attempt'>): Promise<void> {
    await mkdir(this.#attemptFolder(id, attempt), { recursive: true });
  }

  /** Makes inputs survive a power cut. */
  async syncInputs({ inputs }: Pick<JobRequest, 'inputs'>): Promise<void> {
    await Promise.all([...inputs.map(({ file }) => syncFile(file)), this.#syncFolder(this.#uploadFolder)]);
  }

  /** Sees to it that inputs are where the job says. Throws what opening them would, such as ENOENT. */
  async bringInputs({ inputs }: Pick<Job, 'inputs'>): Promise<void> {
    await Promise.all(inputs.map(({ file }) => access(file)));
  }

  /** Makes results survive a power cut, where there are any. */
  async syncResults(job: Pick<Job, 'id' | 'attempt'>, results: readonly JobResult[]): Promise<void> {
    if (results.length === 0) return;
    const folder = this.#attemptFolder(job.id, job.attempt);
    await Promise.all([
      ...results.map(({ file }) => syncFile(file)),
      ...[folder, dirname(folder), this.#processedFolder].map((path) => this.#syncFolder(path)),
    ]);
  }

  async removeInputs(job: Pick<JobRequest, 'inputs'>): Promise<void> {
    await Promise.all(job.inputs.map(({ file }) => rm(file, { force: true })));
  }

  /** Of attempts before the job's own. */
  async removeEarlierResults({ id, attempt }: Pick<Job, 'id' | 'attempt'>): Promise<void> {
    if (attempt === 1) return;
    for (const { name, parentPath } of await entriesOf(join(this.#processedFolder, id)).catch(() => [])) {
      if (Number(name) < attempt) await rm(join(parentPath, name), { recursive: true, force: true });
    }
  }

  /** Of the job's own attempt alone, which another one has overtaken. */
  async removeAttempt({ id, attempt }: Pick<Job, 'id' | 'attempt'>): Promise<void> {
    await rm(this.#attemptFolder(id, attempt), { recursive: true, force: true });
  }

  /** Whatever lies here of a job's inputs. */
  protected async removeLocalInputs({ id }: Pick<Job, 'id'>): Promise<void> {
    for (const { name, parentPath } of await entriesOf(this.#uploadFolder)) {
      if (name.startsWith(`${id}-`)) await rm(join(parentPath, name), { force: true });
    }
  }

  /** Takes half-written results with it: whatever a killed worker left is in the job's folder. */
  async removeResults(job: Pick<Job, 'id'>): Promise<void> {
    await rm(join(this.#processedFolder, job.id), { recursive: true, force: true });
  }

  /** Runs `read` while the job's results are here, and kept from expiring. */
  async reading<T>({ id }: Pick<Job, 'id' | 'attempt' | 'results'>, read: () => Promise<T>): Promise<T> {
    this.#readers.set(id, (this.#readers.get(id) ?? 0) + 1);
    try {
      return await read();
    } finally {
      const others = (this.#readers.get(id) ?? 1) - 1;
      if (others > 0) this.#readers.set(id, others);
      else this.#readers.delete(id);
    }
  }

  /** Ids of jobs whose results are being read. */
  get beingRead(): readonly string[] {
    return [...this.#readers.keys()];
  }

  isBeingRead(id: string): boolean {
    return this.#readers.has(id);
  }

  /**
   * Removes what no job owns: uploads that were never accepted, results and scratch files of attempts that a dead server left.
   * Only for the time when nothing comes in and nothing runs. Files that the service did not name are left alone.
   */
  async removeStrangers(owned: {
    readonly inputs: ReadonlySet<string>;
    /** Ids of jobs whose results are kept. */
    readonly results: ReadonlySet<string>;
  }): Promise<number> {
    const uploads = (await entriesOf(this.#uploadFolder)).filter(
      ({ name }) => INPUT_NAME.test(name) && !owned.inputs.has(name),
    );
    const folders = (await entriesOf(this.#processedFolder)).filter(
      ({ name }) => JOB_ID.test(name) && !owned.results.has(name),
    );
    for (const { name, parentPath } of [...uploads, ...folders]) {
      await rm(join(parentPath, name), { recursive: true, force: true });
    }
    return uploads.length + folders.length;
  }

  /** Uploads and result folders that were last touched before a time, and the ids of the jobs that they are named after. */
  async olderThan(modifiedBefore: number): Promise<readonly { readonly path: string; readonly jobId: string }[]> {
    const named = [
      ...(await entriesOf(this.#uploadFolder)).filter(({ name }) => INPUT_NAME.test(name)),
      ...(await entriesOf(this.#processedFolder)).filter(({ name }) => JOB_ID.test(name)),
    ];
    const old = [];
    for (const { name, parentPath } of named) {
      const path = join(parentPath, name);
      const { mtimeMs = Infinity } = (await stat(path).catch(() => undefined)) ?? {}; // it may go while it is looked at
      if (mtimeMs < modifiedBefore) old.push({ path, jobId: name.slice(0, ID_LENGTH) });
    }
    return old;
  }

  /** Removes one of those. */
  async removeAt(path: string): Promise<void> {
    await rm(path, { recursive: true, force: true });
  }

  #attemptFolder(jobId: string, attempt: number): string {
    return join(this.#processedFolder, jobId, String(attempt));
  }

  #syncFolder(path: string): Promise<void> {
    const sync = this.#folderSyncs.get(path) ?? new FolderSync(path, () => this.#folderSyncs.delete(path));
    this.#folderSyncs.set(path, sync);
    return sync.request();
  }
}

/** The name by which a file is remembered. */
export function rememberedName({ file }: { readonly file: string }): string {
  return basename(file);
}

async function entriesOf(folder: string): Promise<readonly Dirent[]> {
  return readdir(folder, { withFileTypes: true });
}

/** Syncs of one folder: all that are asked for while one runs are answered by the next. */
class FolderSync {
  readonly #path: string;
  readonly #onIdle: () => void;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(path: string, onIdle: () => void) {
    this.#path = path;
    this.#onIdle = onIdle;
  }

  request(): Promise<void> {
    if (!this.#running) return this.#run();
    return (this.#next ??= this.#running
      .catch(() => undefined) // is told to those who asked for it
      .then(() => {
        this.#next = undefined;
        return this.#run();
      }));
  }

  #run(): Promise<void> {
    const running = syncFolder(this.#path).finally(() => {
      this.#running = undefined;
      if (!this.#next) this.#onIdle();
    });
    this.#running = running;
    return running;
  }
}

async function prepareFolder(variable: string, folder: string): Promise<void> {
  try {
    await makeUsableFolder(folder);
  } catch (error) {
    throw new FolderUnusableError(variable, folder, error);
  }
}
