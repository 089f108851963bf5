import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CatalogEntry } from './catalog-entry.ts';
import { describeModel, recordOf } from './catalog-entry.ts';
import { DOWNLOAD_LIMITS } from './download/download-limits.ts';
import type { Inspect } from './inspection/remembered-inspections.ts';
import { RememberedInspections } from './inspection/remembered-inspections.ts';
import { DownloadError, ModelUnavailableError, UnknownModelError } from './errors.ts';
import { errorCode } from '../files/error-code.ts';
import { rememberedSha256 } from '../files/remembered-sha256.ts';
import { sha256OfFile } from '../files/file-hash.ts';
import type { FileCheck } from './installed-file.ts';
import { checkFile, setAside, stampOf } from './installed-file.ts';
import type { DownloadedModel, DownloadOptions, ModelDownloader } from './download/model-downloader.ts';
import type { ModelFile } from './model-files.ts';
import { findModelFiles, findNamesake, notOfAKind } from './model-files.ts';
import type { KnownModel } from './model-index.ts';
import { ModelIndex } from './model-index.ts';
import type { LockedModel } from './models-lock-file.ts';
import { ModelsLockFile } from './models-lock-file.ts';
import type { RemoteModel } from './remote-model.ts';
import { readRemoteModels } from './remote-model.ts';
import { publishedTwin } from './published-twin.ts';
import { runningDownload } from './running-download.ts';
import { diskFault } from './download/transfer-fault.ts';

export interface ModelCatalogOptions {
  /** `MODELS_DIR`. */
  readonly directory: string;
  /** The folder's downloader. */
  readonly downloader: Pick<ModelDownloader, 'download'>;
  /** Whether what is missing may be fetched (`MODEL_DOWNLOADS`). */
  readonly isDownloading: boolean;
  /** Whether no file is changed, renamed or added: then a broken one does not count, and stays where it is. */
  readonly isUnchanging?: boolean;
  readonly inspect?: Inspect;
  /** Default: the package's `config/models.json`. */
  readonly official?: readonly RemoteModel[];
  /** Default: the package's own `models/`. */
  readonly bundledDirectory?: string;
}

/** What a name stands for. */
export interface ResolvedModel {
  readonly name: string;
  readonly kind: KnownModel['kind'];
  readonly official: RemoteModel | null;
  /** Null where it is not installed. */
  readonly file: string | null;
  /** Whether the downloader wrote the file, and it still is as it was. */
  readonly isVerified: boolean;
}

/** A model that can be loaded. */
export interface InstalledModel extends ResolvedModel {
  readonly file: string;
}

/** What `verify` found in one file. */
export interface Verification {
  readonly name: string;
  readonly kind: KnownModel['kind'];
  readonly file: string | null;
  readonly state: FileCheck['state'] | 'unreadable';
  readonly sha256: string | null;
  /** Null where no hash was published. */
  readonly matchesPublished: boolean | null;
  /** Where a corrupt file was moved to. */
  readonly setAside: string | null;
}

const BUNDLED_DIRECTORY = fileURLToPath(new URL('../../models/', import.meta.url));

/** Knows the official models, the package's own and the user's files; says where they lie, and has missing ones fetched. */
export class ModelCatalog {
  readonly #options: ModelCatalogOptions;
  readonly #official: readonly RemoteModel[];
  readonly #lockFile: ModelsLockFile;
  readonly #inspections: RememberedInspections | undefined;
  readonly #hashes = new Map<string, string>();

  constructor(options: ModelCatalogOptions) {
    this.#options = options;
    this.#inspections = options.inspect && new RememberedInspections(options.inspect);
    this.#official = options.official ?? readRemoteModels();
    this.#lockFile = new ModelsLockFile(options.directory, DOWNLOAD_LIMITS.lock);
  }

  /** Everything that is known or installed: official models, the package's own, the user's files. Reads no whole files. */
  async list(): Promise<readonly CatalogEntry[]> {
    const { models } = await this.#index();
    const records = await this.#lockFile.read();
    return Promise.all(
      models.map(async (model) => {
        const official = model.file ? null : officialOf(model);
        return describeModel(model, {
          record: this.#recordOf(model, records),
          inspected: model.file && (await this.#inspections?.of(model.file)),
          download: official && (await runningDownload(official, this.#options.directory)),
          twin: await this.#twinOf(model),
        });
      }),
    );
  }

  /**
   * The one name of a model that is installed or may be fetched, whatever spelling it is asked for by. Reads no files. Throws
   * `UnknownModelError`; `ModelUnavailableError` where it is missing and downloads are off.
   */
  async obtainable(name: string): Promise<string> {
    const model = await this.#lookUp(await this.#index(), name);
    const official = officialOf(model);
    if (!model.file && official) this.#assertDownloading(official);
    return model.name;
  }

  /**
   * The model that a name stands for: a catalogue name, an UpscalerType, a file's name or stem. A file that the downloader
   * wrote and that no longer verifies is set aside, and does not count.
   * @throws UnknownModelError
   */
  async resolve(name: string): Promise<ResolvedModel> {
    const { model, record, isUsable } = await this.#find(name);
    return {
      name: model.name,
      kind: model.kind,
      official: officialOf(model),
      file: isUsable ? (model.file?.path ?? null) : null,
      isVerified: isUsable && record !== undefined,
    };
  }

  /**
   * A model that can be loaded, fetched first where it is missing.
   * @throws UnknownModelError; ModelUnavailableError where it cannot be had (a DownloadError is its cause); the signal's reason
   */
  async ensure(name: string, options: DownloadOptions = {}): Promise<InstalledModel> {
    const found = await this.resolve(name);
    if (found.file !== null) return { ...found, file: found.file };
    const { file, record } = await this.#fetch(found, options);
    return { ...found, file, isVerified: record !== undefined };
  }

  /** Like `ensure`, for somebody who asks for just that: also tells whether the model was there already. */
  async download(name: string, options: DownloadOptions = {}): Promise<DownloadedModel> {
    const { model, record, isUsable } = await this.#find(name);
    if (isUsable && model.file) return { file: model.file.path, isFetched: false, record };
    return this.#fetch({ name, official: officialOf(model) }, options);
  }

  /** Reads whole files and compares their hashes: all that are installed, or those named. Corrupt ones are set aside. */
  async verify(names?: readonly string[], signal?: AbortSignal): Promise<readonly Verification[]> {
    const index = await this.#index();
    const asked = names && (await Promise.all(names.map((name) => this.#lookUp(index, name))));
    const models = asked ?? index.models.filter(({ file }) => file);
    const results: Verification[] = [];
    for (const model of models) results.push(await this.#verifyOrTell(model, signal));
    return results;
  }

  /** The sha256 of a file, remembered as long as the file does not change. */
  async sha256(file: string): Promise<string> {
    const stamp = await stampOf(file);
    const key = `${file}:${stamp?.size ?? 0}:${stamp?.mtimeMs ?? 0}`;
    const known = this.#hashes.get(key);
    if (known !== undefined) return known;
    const record = (await this.#lockFile.readIfSound()).get(relative(this.#options.directory, file));
    const isUnchanged = record?.size === stamp?.size && record?.mtime_ms === stamp?.mtimeMs;
    const sha256 = record && isUnchanged ? record.sha256 : await rememberedSha256(file);
    this.#hashes.set(key, sha256);
    return sha256;
  }

  async #fetch(
    { name, official }: Pick<ResolvedModel, 'name' | 'official'>,
    options: DownloadOptions,
  ): Promise<DownloadedModel> {
    const { directory, downloader } = this.#options;
    if (!official) throw new UnknownModelError(name, await this.#names());
    this.#assertDownloading(official);
    try {
      return await downloader.download(official, options);
    } catch (error) {
      if (!(error instanceof DownloadError)) throw error;
      throw new ModelUnavailableError(official, { directory, why: error.message }, { cause: error });
    }
  }

  #assertDownloading(official: RemoteModel): void {
    const { directory, isDownloading } = this.#options;
    if (isDownloading) return;
    throw new ModelUnavailableError(official, { directory, why: 'downloads are off (MODEL_DOWNLOADS)' });
  }

  async #index(): Promise<ModelIndex> {
    const { directory, bundledDirectory = BUNDLED_DIRECTORY } = this.#options;
    return new ModelIndex(this.#official, await findModelFiles(directory), await findModelFiles(bundledDirectory));
  }

  async #lookUp(index: ModelIndex, name: string): Promise<KnownModel> {
    const model = index.find(name);
    if (model) return model;
    const known = index.models.map((one) => one.name);
    const namesake = await findNamesake(this.#options.directory, name);
    throw new UnknownModelError(name, known, namesake && notOfAKind(namesake));
  }

  async #names(): Promise<readonly string[]> {
    return (await this.#index()).models.map((model) => model.name);
  }

  async #twinOf({ kind, file }: KnownModel): Promise<RemoteModel | undefined> {
    return kind === 'user' ? publishedTwin(file, this.#official, (path) => this.sha256(path)) : undefined;
  }

  #recordOf(model: KnownModel, records: ReadonlyMap<string, LockedModel>): LockedModel | undefined {
    return recordOf(model.file, this.#options.directory, records);
  }

  /** Looks until it finds a file that may be used, or none: one that is set aside may have had another behind it. */
  async #find(name: string): Promise<{ model: KnownModel; record: LockedModel | undefined; isUsable: boolean }> {
    for (;;) {
      const model = await this.#lookUp(await this.#index(), name);
      const records = model.kind === 'official' ? this.#lockFile.read() : this.#lockFile.readIfSound();
      const record = this.#recordOf(model, await records);
      if (!model.file) return { model, record, isUsable: false };
      const check = await checkFile(model.file.path, record);
      if (check.state === 'verified') await this.#remember(model.file, record, check);
      if (check.state === 'verified' || check.state === 'unrecorded') return { model, record, isUsable: true };
      if (check.state === 'corrupt' && (await this.#setAside(model.file, check)) === 'impossible') {
        return { model, record, isUsable: false };
      }
    }
  }

  /** A file that was read as a whole and is right need not be read again at the next use. */
  async #remember(file: ModelFile, record: LockedModel | undefined, { stamp }: FileCheck): Promise<void> {
    if (!record || !stamp || stamp.mtimeMs === record.mtime_ms || this.#options.isUnchanging) return;
    try {
      await this.#lockFile.put(file.relativePath, { ...record, mtime_ms: stamp.mtimeMs });
    } catch (error) {
      if (!diskFault(error)) throw error; // a folder that is read-only: then it is read every time
    }
  }

  async #setAside(file: ModelFile, { stamp }: FileCheck): Promise<string | undefined> {
    if (this.#options.isUnchanging) return 'impossible';
    try {
      return stamp && (await setAside(file.path, stamp));
    } catch (error) {
      if (diskFault(error)) return 'impossible';
      throw error;
    }
  }

  /** A file that cannot be read is told, and the others are read all the same. */
  async #verifyOrTell(model: KnownModel, signal: AbortSignal | undefined): Promise<Verification> {
    try {
      return await this.#verify(model, signal);
    } catch (error) {
      if (signal?.aborted || errorCode(error) === undefined) throw error;
      const { name, kind, file } = model;
      const nothing = { sha256: null, matchesPublished: null, setAside: null };
      return { name, kind, file: file?.path ?? null, state: 'unreadable', ...nothing };
    }
  }

  async #verify(model: KnownModel, signal: AbortSignal | undefined): Promise<Verification> {
    const { name, kind, file } = model;
    const nothing = { name, kind, file: null, sha256: null, matchesPublished: null, setAside: null };
    if (!file) return { ...nothing, state: 'missing' };
    const record = this.#recordOf(model, await this.#lockFile.read());
    const check = await checkFile(file.path, record, { isThorough: true, signal });
    if (check.state === 'verified') await this.#remember(file, record, check);
    const sha256 = check.sha256 ?? (check.state === 'missing' ? null : await sha256OfFile(file.path, signal));
    const aside = check.state === 'corrupt' ? await this.#setAside(file, check) : undefined;
    const published = officialOf(model)?.sha256 ?? null;
    return {
      name,
      kind,
      file: file.path,
      state: check.state,
      sha256,
      matchesPublished: published === null ? null : sha256 === published,
      setAside: aside === 'impossible' ? null : (aside ?? null),
    };
  }
}

function officialOf(model: KnownModel): RemoteModel | null {
  return model.kind === 'official' ? model.official : null;
}
