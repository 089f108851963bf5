import { createHash, randomUUID } from 'node:crypto';
import {
  constants,
  copyFile,
  link,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { Config } from '../config.ts';
import { withoutSecrets } from '../config.ts';
import type { Logger } from '../logger.ts';
import { sha256OfFile } from '../files/file-hash.ts';
import type { Job, JobInput, JobResult } from './job.ts';

/** Another number for another meaning of what is stored. */
const VERSION = 2;

interface Entry {
  /** Of the image and its record. */
  readonly bytes: number;
}

/** What is known of a cached image. */
type CachedRecord = Pick<JobResult, 'bytes' | 'sha256' | 'info'> & { readonly extension: string };

export interface ResultCacheOptions {
  /** Of its own; its name begins with a dot or lies in such a folder. */
  readonly folder: string;
  readonly config: Config;
  readonly logger: Logger;
}

/**
 * Results by what they were made of: the image's bytes, what was asked, the weights that are installed, and the configuration; and by
 * their callers, who would learn from the time of an answer what others have asked for.
 * Bounded by `RESULT_CACHE_MB`; what was not asked for the longest goes first. Files are shared with the jobs' own (hard links), so
 * that they take up no room twice.
 */
export class ResultCache {
  readonly #options: ResultCacheOptions;
  /** The least recently used first. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;
  #isOpen = false;

  constructor(options: ResultCacheOptions) {
    this.#options = options;
  }

  get #maxBytes(): number {
    return this.#options.config.resultCacheBytes;
  }

  /** The key of one image of a job; undefined where the cache is off. */
  async keyOf(
    { caller, work, output }: Pick<Job, 'caller' | 'work' | 'output'>,
    { sha256 }: JobInput,
  ): Promise<string | undefined> {
    if (this.#maxBytes === 0) return undefined;
    const { config } = this.#options;
    const parts = [
      VERSION,
      caller,
      sha256,
      work,
      output,
      withoutSecrets(config),
      await installedWeights(config.modelsDir),
    ];
    return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  }

  /** Puts a cached image at `stem` with its extension. Its record says how long that took, not how long it once took to make. */
  async take(key: string, stem: string): Promise<Omit<JobResult, 'index'> | undefined> {
    await this.#open();
    if (!this.#entries.has(key)) return undefined;
    const start = performance.now();
    let file: string | undefined;
    try {
      const { extension, info, bytes, sha256 } = await this.#recordOf(key);
      file = `${stem}${extension}`;
      await linkOrCopy(this.#path(key, extension), file);
      if ((await sha256OfFile(file)) !== sha256) throw new Error('it is not what it was');
      await this.#touch(key);
      const seconds = Math.round(performance.now() - start) / 1000;
      return { file, bytes, sha256, info: { ...info, seconds: { cache: seconds, total: seconds } } };
    } catch (error) {
      this.#options.logger.warn('a cached result cannot be used', { key, error });
      await this.drop(key);
      if (file !== undefined) await rm(file, { force: true });
      return undefined;
    }
  }

  /** Keeps a result. One that came about by a fallback is not kept: another time it may be made as it was asked. */
  async put(key: string, { file, bytes, sha256, info }: JobResult): Promise<void> {
    if (info.fallbacks.length > 0 || bytes > this.#maxBytes) return;
    await this.#open();
    const record: CachedRecord = { bytes, sha256, info, extension: extname(file) };
    const text = JSON.stringify(record);
    try {
      await this.drop(key);
      const [newImage, newRecord] = [this.#path(key, `.${randomUUID()}`), this.#path(key, `.${randomUUID()}`)];
      await linkOrCopy(file, newImage);
      await rename(newImage, this.#path(key, record.extension));
      await rm(newImage, { force: true }); // a rename between two links of one file does nothing
      await writeFile(newRecord, text);
      await rename(newRecord, this.#path(key, '.json'));
    } catch (error) {
      this.#options.logger.warn('a result cannot be cached', { key, error });
      return;
    }
    this.#remember(key, { bytes: bytes + text.length });
    await this.#evict();
  }

  /** Drops what the results of a job are kept as, whoever made them. @returns when the files are gone */
  async dropResults({ results }: Pick<Job, 'results'>): Promise<void> {
    await this.#open();
    const digests = new Set(results.map(({ sha256 }) => sha256));
    for (const key of digests.size > 0 ? [...this.#entries.keys()] : []) {
      const { sha256 } = (await this.#recordOf(key).catch(() => undefined)) ?? {};
      if (sha256 !== undefined && digests.has(sha256)) await this.drop(key);
    }
  }

  async drop(key: string): Promise<void> {
    const entry = this.#entries.get(key);
    this.#entries.delete(key);
    this.#bytes -= entry?.bytes ?? 0;
    const extensions = (await readdir(this.#options.folder)).filter((name) => name.startsWith(`${key}.`));
    // The record first: without one, an image is nothing.
    for (const name of extensions.sort((a) => (a.endsWith('.json') ? -1 : 1))) {
      await rm(join(this.#options.folder, name), { force: true });
    }
  }

  /** Finds what earlier servers left, in the order in which it was used. */
  async #open(): Promise<void> {
    if (this.#isOpen) return;
    this.#isOpen = true;
    await mkdir(this.#options.folder, { recursive: true });
    const found = new Map<string, { readonly bytes: number; readonly usedMs: number; readonly isWhole: boolean }>();
    for (const name of await readdir(this.#options.folder)) {
      const [key = ''] = name.split('.');
      // Another server of the same folder may be at work in it.
      const { size = 0, mtimeMs = 0 } = (await stat(join(this.#options.folder, name)).catch(() => undefined)) ?? {};
      const before = found.get(key) ?? { bytes: 0, usedMs: 0, isWhole: false };
      const isRecord = name.endsWith('.json');
      found.set(key, {
        bytes: before.bytes + size,
        usedMs: isRecord ? mtimeMs : before.usedMs,
        isWhole: isRecord || before.isWhole,
      });
    }
    for (const [key, { bytes, isWhole }] of [...found].sort(([, a], [, b]) => a.usedMs - b.usedMs)) {
      if (isWhole) this.#remember(key, { bytes });
      else await this.drop(key);
    }
    await this.#evict();
  }

  #remember(key: string, entry: Entry): void {
    this.#bytes += entry.bytes - (this.#entries.get(key)?.bytes ?? 0);
    this.#entries.delete(key);
    this.#entries.set(key, entry);
  }

  async #evict(): Promise<void> {
    for (const key of this.#entries.keys()) {
      if (this.#bytes <= this.#maxBytes) return;
      await this.drop(key);
    }
  }

  async #touch(key: string): Promise<void> {
    const entry = this.#entries.get(key);
    if (entry) this.#remember(key, entry);
    await utimes(this.#path(key, '.json'), new Date(), new Date());
  }

  async #recordOf(key: string): Promise<CachedRecord> {
    return JSON.parse(await readFile(this.#path(key, '.json'), 'utf8')) as CachedRecord;
  }

  #path(key: string, extension: string): string {
    return join(this.#options.folder, `${key}${extension}`);
  }
}

/**
 * What tells one state of the installed weights from another: names, sizes and times of all files. A model that is added may
 * change what `AUTO` stands for, so any change counts.
 */
async function installedWeights(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => !entry.isDirectory()).map(({ parentPath, name }) => join(parentPath, name));
  const described = files.map(async (path) => {
    const { size = 0, mtimeMs = 0 } = (await stat(path).catch(() => undefined)) ?? {};
    return `${path} ${size} ${mtimeMs}`;
  });
  return (await Promise.all(described)).sort();
}

/** Links to a name that is free: an existing file may be shared with another result, so it is never written over. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch {
    await copyFile(from, to, constants.COPYFILE_EXCL); // some file systems have no links
  }
}
