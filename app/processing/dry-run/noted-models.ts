import { basename } from 'node:path';
import { createUnchangingCatalog } from '../../catalog/create-catalog.ts';
import type { InstalledModel, ModelCatalog, ResolvedModel } from '../../catalog/model-catalog.ts';
import type { RemoteModel } from '../../catalog/remote-model.ts';
import type { Config } from '../../config.ts';

/** A model that would be fetched. */
export interface NeededDownload {
  readonly name: string;
  /** The name that it would have in MODELS_DIR. */
  readonly file: string;
  /** Null where it was not published. */
  readonly bytes: number | null;
}

/** What work on one image asks of the catalogue. */
export interface NeededModels {
  /** Names of the weights' files. */
  readonly models: readonly string[];
  /** Those of them that would be fetched, each told once. */
  readonly downloads: readonly NeededDownload[];
}

/** A catalogue that fetches nothing: it notes what it is asked for, and what of that is missing. */
export class NotedModels implements Pick<ModelCatalog, 'ensure' | 'resolve' | 'sha256'> {
  readonly #catalog: ModelCatalog;
  readonly #asked = new Set<string>();
  /** By the path that each would have. */
  readonly #missing = new Map<string, RemoteModel>();
  readonly #told = new Set<RemoteModel>();

  constructor(config: Config) {
    this.#catalog = createUnchangingCatalog(config, (model, file) => this.#missing.set(file, model));
  }

  async ensure(name: string): Promise<InstalledModel> {
    const model = await this.#catalog.ensure(name);
    this.#asked.add(model.file);
    return model;
  }

  async resolve(name: string): Promise<ResolvedModel> {
    return this.#catalog.resolve(name);
  }

  async sha256(file: string): Promise<string> {
    return this.#catalog.sha256(file);
  }

  /** What is known of a file that is not there yet. */
  missing(file: string): RemoteModel | undefined {
    return this.#missing.get(file);
  }

  /** What was asked for since the last time. */
  take(): NeededModels {
    const asked = [...this.#asked];
    this.#asked.clear();
    const missing = asked.flatMap((file) => this.#missing.get(file) ?? []).filter((model) => !this.#told.has(model));
    for (const model of missing) this.#told.add(model);
    return {
      models: asked.map((file) => basename(file)),
      downloads: missing.map(({ name, filename, size }) => ({ name, file: filename, bytes: size })),
    };
  }
}
