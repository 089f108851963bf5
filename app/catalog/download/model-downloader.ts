import { chmod, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { missingSpace } from './disk-space.ts';
import type { DownloadLimits } from './download-limits.ts';
import { DOWNLOAD_LIMITS } from './download-limits.ts';
import { syncParent } from '../../files/durable-file.ts';
import { makeFolder } from '../../files/usable-folder.ts';
import { DownloadError } from '../errors.ts';
import { FileClient } from './file-client.ts';
import { checkFile, setAside, stampOf } from '../installed-file.ts';
import type { LockedModel } from '../models-lock-file.ts';
import { ModelsLockFile } from '../models-lock-file.ts';
import { discardPartialFile, PartialFile, partialProgress } from './partial-file.ts';
import { LockLostError, ProcessLock } from '../../files/process-lock.ts';
import { modelSources } from './model-sources.ts';
import type { OnDownloadProgress } from './progress-meter.ts';
import { ProgressMeter } from './progress-meter.ts';
import { inspectPart } from '../inspection/inspect-part.ts';
import type { Inspect } from '../inspection/remembered-inspections.ts';
import type { RemoteModel } from '../remote-model.ts';
import type { FetchContext } from './source-fetch.ts';
import { DiskFullFault, SourceFetch } from './source-fetch.ts';
import { diskFault, TransferFault } from './transfer-fault.ts';

export interface ModelDownloaderOptions {
  /** `MODELS_DIR`; created when something is downloaded. */
  readonly directory: string;
  /** Connections of one download. */
  readonly segments?: number;
  /** A base URL that is tried before the catalogue's: it serves `<mirror>/<filename>`. */
  readonly mirror?: string | undefined;
  /** Opens what no published hash vouches for; without it, such a file is looked at by its head alone. */
  readonly inspect?: Inspect;
  readonly limits?: Partial<DownloadLimits>;
}

export interface DownloadOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnDownloadProgress | undefined;
}

/** A model that is in place. */
export interface DownloadedModel {
  readonly file: string;
  /** False where it was there already, e.g. since another process was faster. */
  readonly isFetched: boolean;
  /** What the downloader recorded; undefined for a file that the user placed. */
  readonly record: LockedModel | undefined;
}

/**
 * Downloads models into `MODELS_DIR`: in parallel ranges, resumed where an earlier run was stopped, from the mirrors in turn,
 * checked against size and sha256, and put in place by an atomic rename. Two processes that want the same model fetch it once.
 */
export class ModelDownloader {
  readonly #options: ModelDownloaderOptions;
  readonly #limits: DownloadLimits;
  readonly #lockFile: ModelsLockFile;

  constructor(options: ModelDownloaderOptions) {
    this.#options = options;
    this.#limits = { ...DOWNLOAD_LIMITS, ...options.limits };
    this.#lockFile = new ModelsLockFile(options.directory, this.#limits.lock);
  }

  /**
   * Fetches a model unless it is in place. A file of the downloader's own that no longer verifies is set aside first; a file
   * of the user's is left alone.
   * @throws DownloadError, or the signal's reason: then what was fetched is kept for the next try
   */
  async download(model: RemoteModel, options: DownloadOptions = {}): Promise<DownloadedModel> {
    const meter = new ProgressMeter(options.onProgress, this.#limits.progressMs);
    const signal = options.signal ?? new AbortController().signal;
    for (;;) {
      try {
        return await this.#downloadLocked(model, meter, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof LockLostError) continue;
        throw await this.#explain(model, error);
      }
    }
  }

  async #downloadLocked(model: RemoteModel, meter: ProgressMeter, signal: AbortSignal): Promise<DownloadedModel> {
    const { directory } = this.#options;
    const file = join(directory, model.filename);
    makeFolder(directory);
    const lock = await ProcessLock.acquire(`${file}.lock`, this.#limits.lock, {
      signal,
      onWait: async () => {
        const others = await partialProgress(`${file}.part`);
        if (others) meter.report(others.received, others.total);
      },
    });
    try {
      const installed = await this.#installed(file, model, signal);
      if (installed) return installed;
      const record = await this.#fetch(model, lock, { meter, signal: AbortSignal.any([signal, lock.lost]) });
      return { file, isFetched: record !== undefined, record };
    } finally {
      await lock.release();
    }
  }

  async #installed(file: string, model: RemoteModel, signal: AbortSignal): Promise<DownloadedModel | undefined> {
    const record = (await this.#lockFile.read()).get(model.filename);
    await assertNoFolder(file);
    const { state, stamp } = await checkFile(file, record, { signal });
    if (state === 'corrupt' && stamp) await setAside(file, stamp);
    if (state === 'verified') return { file, isFetched: false, record };
    if (state === 'unrecorded') return { file, isFetched: false, record: undefined };
    return undefined;
  }

  /** What was recorded; undefined where the user has put a file there meanwhile, which stays. */
  async #fetch(
    model: RemoteModel,
    lock: ProcessLock,
    { meter, signal }: { meter: ProgressMeter; signal: AbortSignal },
  ): Promise<LockedModel | undefined> {
    const { directory, segments = 8 } = this.#options;
    const file = join(directory, model.filename);
    const pinned = (await this.#lockFile.read()).get(model.filename);
    const client = new FileClient({ userAgent: 'hiresfix', ...this.#limits });
    const part = await PartialFile.open(`${file}.part`, this.#limits.checkpoint);
    try {
      const context = { client, part, limits: this.#limits, connections: segments, progress: meter, signal };
      const found = await this.#fetchFromAny(model, pinned, context);
      await part.close();
      if (await stampOf(file)) {
        await discardPartialFile(part.path);
        return undefined;
      }
      return await this.#publish(model, { ...found, lock, meter });
    } catch (error) {
      await part.leave().catch(() => undefined); // the failure that led here is the one to tell
      throw error;
    } finally {
      client.close();
    }
  }

  /** Tries the sources in turn; throws when all have failed, or where another source would not help. */
  async #fetchFromAny(
    model: RemoteModel,
    pinned: LockedModel | undefined,
    context: FetchContext,
  ): Promise<{ sha256: string; url: string }> {
    const fetch = new SourceFetch(
      {
        directory: this.#options.directory,
        size: model.size,
        sha256: model.sha256 ?? pinned?.sha256 ?? null,
        hashOrigin: model.sha256 === null ? 'learnt on the first download, kept in models.lock.json' : 'as published',
        open: (part) => this.#open(model, part),
      },
      context,
    );
    const faults: TransferFault[] = [];
    for (const url of modelSources(model, this.#options.mirror)) {
      try {
        const sha256 = await fetch.run(url);
        return { sha256, url: withoutSecrets(url) };
      } catch (error) {
        if (!(error instanceof TransferFault)) throw error;
        faults.push(error);
        if (error.reason === 'disk-full' || error.reason === 'not-writable') break;
      }
    }
    throw this.#failure(model, faults);
  }

  /** A file that was cut may begin and be as long as the model, for all that is known of one without a published hash. */
  async #open({ filename, sha256 }: RemoteModel, part: string): Promise<void> {
    const { inspect } = this.#options;
    if (sha256 === null && inspect) await inspectPart(inspect, part, filename);
  }

  /**
   * Puts the checked file in place. The record is written first: a crash between the two leaves a record without a file,
   * which is harmless, and a whole `.part`, which is all that the next run needs.
   */
  async #publish(
    model: RemoteModel,
    found: { sha256: string; url: string; lock: ProcessLock; meter: ProgressMeter },
  ): Promise<LockedModel> {
    const file = join(this.#options.directory, model.filename);
    const stamp = await stampOf(`${file}.part`);
    const record: LockedModel = {
      name: model.name,
      sha256: found.sha256,
      size: stamp?.size ?? 0,
      mtime_ms: stamp?.mtimeMs ?? 0,
      sha256_from: model.sha256 === null ? 'first-download' : 'published',
      url: found.url,
      downloaded_at: new Date().toISOString(),
    };
    await this.#lockFile.put(model.filename, record);
    await found.lock.assertHeld();
    await rename(`${file}.part`, file);
    await syncParent(file);
    await chmod(file, 0o444);
    await discardPartialFile(`${file}.part`);
    found.meter.finish(record.size);
    return record;
  }

  /** What went wrong with the disk outside of a transfer: at the lock, or when the file was put in place. */
  async #explain(model: RemoteModel, error: unknown): Promise<unknown> {
    const { directory } = this.#options;
    const fault = error instanceof DownloadError ? undefined : diskFault(error);
    if (fault?.reason !== 'disk-full') return fault ? this.#failure(model, [fault]) : error;
    const part = await partialProgress(join(directory, `${model.filename}.part`));
    const received = part?.received ?? 0;
    const missing = await missingSpace(directory, (part?.total ?? model.size ?? 0) - received);
    return this.#failure(model, [new DiskFullFault(directory, missing, received, error)]);
  }

  #failure(model: RemoteModel, faults: readonly TransferFault[]): DownloadError {
    const [first] = faults;
    const diskFull = faults.find((fault) => fault instanceof DiskFullFault);
    const decisive = diskFull ?? faults.find((fault) => fault.reason === 'not-writable') ?? first;
    return new DownloadError(
      model.name,
      {
        reason: decisive?.reason === 'no-ranges' ? 'bad-range' : (decisive?.reason ?? 'network'),
        detail: [...new Set(faults.map((fault) => fault.message))].join('; '),
        missingBytes: diskFull?.missingBytes,
      },
      { cause: decisive },
    );
  }
}

/** A folder of the file's name would count as the file. @throws an error of the file system */
async function assertNoFolder(file: string): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found?.isDirectory() !== true) return;
  throw Object.assign(new Error(`a folder has the name of the file`), { code: 'EISDIR', path: file });
}

/** A mirror's URL may hold a password, which has no business in a file. */
function withoutSecrets(url: URL): string {
  const plain = new URL(url);
  plain.username = '';
  plain.password = '';
  return plain.href;
}
