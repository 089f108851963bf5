import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { syncFolder, writeDurably } from '../files/durable-file.ts';
import { BadModelsLockError, ModelsFolderError } from './errors.ts';
import type { ProcessLockTimings } from '../files/process-lock.ts';
import { ProcessLock } from '../files/process-lock.ts';
import { errorCode } from '../files/error-code.ts';

const lockedModelSchema = z.object({
  name: z.string(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  size: z.int().min(0),
  /** Of the file, when its hash was last taken: an unchanged one need not be hashed again. */
  mtime_ms: z.number(),
  /** `published`: the catalogue's hash. `first-download`: nobody published one, so this one was learnt and is held to. */
  sha256_from: z.enum(['published', 'first-download']),
  url: z.string(),
  downloaded_at: z.iso.datetime(),
});
const lockFileSchema = z.object({ version: z.literal(1), models: z.record(z.string(), lockedModelSchema) });

/** What the downloader remembers of a file that it wrote. */
export type LockedModel = Readonly<z.infer<typeof lockedModelSchema>>;

/** `models.lock.json` in `MODELS_DIR`: the files that the downloader wrote, by file name, and the hashes they are held to. */
export class ModelsLockFile {
  readonly #directory: string;
  readonly #timings: ProcessLockTimings;

  constructor(directory: string, timings: ProcessLockTimings) {
    this.#directory = directory;
    this.#timings = timings;
  }

  /** @throws BadModelsLockError for a file that was damaged by hand; ModelsFolderError where the folder or the file cannot be read */
  async read(): Promise<ReadonlyMap<string, LockedModel>> {
    try {
      const { models } = lockFileSchema.parse(JSON.parse(await readFile(this.#path, 'utf8')));
      return new Map(Object.entries(models));
    } catch (error) {
      if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return new Map();
      if (error instanceof SyntaxError || error instanceof z.ZodError)
        throw new BadModelsLockError(this.#path, { cause: error });
      throw new ModelsFolderError(error);
    }
  }

  /** The same, for files that can do without: the user's and the package's own are used also where the list cannot be read. */
  async readIfSound(): Promise<ReadonlyMap<string, LockedModel>> {
    return this.read().catch((error: unknown) => {
      if (error instanceof BadModelsLockError || error instanceof ModelsFolderError)
        return new Map<string, LockedModel>();
      throw error;
    });
  }

  /** Adds or replaces the entry of one file; entries that other processes add meanwhile are kept. */
  async put(filename: string, entry: LockedModel): Promise<void> {
    const lock = await ProcessLock.acquire(`${this.#path}.lock`, this.#timings);
    try {
      const entries = new Map(await this.read()).set(filename, entry);
      const models = Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
      await writeDurably(this.#path, `${JSON.stringify({ version: 1, models }, undefined, 2)}\n`);
      await syncFolder(this.#directory);
    } finally {
      await lock.release();
    }
  }

  get #path(): string {
    return join(this.#directory, 'models.lock.json');
  }
}
