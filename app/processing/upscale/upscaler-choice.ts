import { isAbsolute, parse } from 'node:path';
import type { Config } from '../../config.ts';
import type { ModelCatalog } from '../../catalog/model-catalog.ts';
import { UnknownModelError } from '../../catalog/errors.ts';
import { unknownName } from '../../catalog/unknown-name.ts';
import { HiresFixError, oneLine } from '../../errors.ts';
import type { DownloadOptions } from '../../catalog/download/model-downloader.ts';
import { BadParameterError, UnknownUpscalerError } from '../errors.ts';
import type { ModelFiles } from './picture-source.ts';
import type { Fallback } from '../result.ts';
import type { PilUpscaler } from './upscalers.ts';
import {
  AUTO,
  autoUpscalers,
  canonicalName,
  isPilUpscaler,
  NETWORK_UPSCALERS,
  PIL_UPSCALERS,
  REALESRGAN_UPSCALERS,
} from './upscalers.ts';

/** The upscaler that will run: a Pillow filter, or a network with its weights. */
export type UpscalerChoice = {
  readonly warnings: readonly string[];
  /** What AUTO calls its choice: it is no more taken once it was given up. Missing where the caller named the upscaler. */
  readonly automatic?: string;
} & (
  { readonly name: PilUpscaler; readonly files?: undefined } | { readonly name: string; readonly files: ModelFiles }
);

export interface UpscalerQuery {
  /** AUTO, an `UpscalerType`, an A1111 name, or a file in `MODELS_DIR`. */
  readonly asked: string;
  /** A checkpoint that the command line named by its path; it goes before `asked`. */
  readonly modelFile?: string | undefined;
  readonly denoiseStrength?: number | undefined;
  /** Why AUTO does without the networks that it would have to fetch. */
  readonly autoGoesWithout?: string | undefined;
  /** How many times the sides grow: what AUTO goes by. */
  readonly growth: number;
}

/** Finds the upscaler that a caller means, and its weights, fetching them where they are missing. */
export class UpscalerChooser {
  readonly #config: Pick<Config, 'modelUpscale'>;
  readonly #catalog: Pick<ModelCatalog, 'ensure' | 'resolve'>;
  /** What AUTO could not have or could not use, and why: it is not tried again for every image of a batch. */
  readonly #missing = new Map<string, Error>();

  constructor(config: Pick<Config, 'modelUpscale'>, catalog: Pick<ModelCatalog, 'ensure' | 'resolve'>) {
    this.#config = config;
    this.#catalog = catalog;
  }

  /**
   * @throws UnknownUpscalerError for a name that is none; ModelUnavailableError where the weights of a named upscaler
   * cannot be had; BadParameterError for a `denoise_strength` that the named one does not take. AUTO never fails for want of
   * weights: it falls back, and says so. `giveUp` takes back what it chose.
   */
  async choose(
    query: UpscalerQuery,
    hooks: DownloadOptions & { readonly onFallback: (fallback: Fallback) => void },
  ): Promise<UpscalerChoice> {
    const { asked, modelFile, denoiseStrength } = query;
    if (modelFile !== undefined || asked.toUpperCase() !== AUTO) return this.#named(query, hooks);
    for (const name of autoUpscalers(query.growth, this.#config)) {
      if (query.autoGoesWithout !== undefined && (await this.#isMissing(name))) {
        hooks.onFallback({ from: name, to: 'COMPACT_X2', reason: query.autoGoesWithout });
        continue;
      }
      try {
        return await this.#automatic(name, denoiseStrength, hooks);
      } catch (error) {
        if (!isOfModel(error)) throw error;
        this.#missing.set(name, error);
        hooks.onFallback({ from: name, to: name === 'COMPACT_X2' ? 'LANCZOS' : 'COMPACT_X2', reason: error.message });
      }
    }
    return { name: 'LANCZOS', warnings: ignoredStrength('LANCZOS', denoiseStrength) };
  }

  async #isMissing(name: string): Promise<boolean> {
    const model = NETWORK_UPSCALERS.get(name)?.model;
    return model !== undefined && (await this.#catalog.resolve(model)).file === null;
  }

  /**
   * AUTO is not to take this again, because its files are broken: then `choose` falls back, and gives this reason.
   * @throws `reason`, where the caller named the upscaler or the model is not at fault
   */
  giveUp({ automatic }: UpscalerChoice, reason: unknown): void {
    if (automatic === undefined || !isOfModel(reason)) throw reason;
    this.#missing.set(automatic, reason);
  }

  async #automatic(name: string, strength: number | undefined, hooks: DownloadOptions): Promise<UpscalerChoice> {
    const missing = this.#missing.get(name);
    if (missing) throw missing;
    if (isPilUpscaler(name)) return { name, warnings: ignoredStrength(name, strength) };
    const takesStrength = NETWORK_UPSCALERS.get(name)?.denoiseModel !== undefined;
    const files = await this.#files(name, takesStrength ? strength : undefined, hooks);
    const warnings = takesStrength ? [] : ignoredStrength(name, strength);
    return { ...files, warnings, automatic: name };
  }

  async #named(query: UpscalerQuery, hooks: DownloadOptions): Promise<UpscalerChoice> {
    const { asked, modelFile, denoiseStrength } = query;
    const name = modelFile === undefined ? canonicalName(asked) : undefined;
    const takesStrength = name !== undefined && NETWORK_UPSCALERS.get(name)?.denoiseModel !== undefined;
    if (denoiseStrength !== undefined && !takesStrength) {
      throw new BadParameterError(`denoise_strength: only REALESR_GENERAL_X4_V3 takes it, not ${modelFile ?? asked}`);
    }
    if (modelFile !== undefined) return { name: parse(modelFile).name, files: { file: modelFile }, warnings: [] };
    if (name !== undefined && isPilUpscaler(name)) return { name, warnings: [] };
    return { ...(await this.#files(name ?? asked, denoiseStrength, hooks)), warnings: [] };
  }

  async #files(
    name: string,
    strength: number | undefined,
    hooks: DownloadOptions,
  ): Promise<{ readonly name: string; readonly files: ModelFiles }> {
    const network = NETWORK_UPSCALERS.get(name);
    if (network === undefined) {
      const file = await this.#userFile(name, hooks);
      return { name: parse(file).name, files: { file } };
    }
    const { file } = await this.#catalog.ensure(network.model, hooks);
    if (network.denoiseModel === undefined || strength === undefined || strength === 1)
      return { name, files: { file } };
    const other = await this.#catalog.ensure(network.denoiseModel, hooks);
    return { name, files: { file, blend: { file: other.file, strength } } };
  }

  /** A file in `MODELS_DIR` by its name; nothing that climbs out of that folder is one. */
  async #userFile(name: string, hooks: DownloadOptions): Promise<string> {
    try {
      if (isAbsolute(name) || name.split(/[\\/]/).includes('..')) throw new UnknownModelError(name, []);
      return (await this.#catalog.ensure(name, hooks)).file;
    } catch (error) {
      if (!(error instanceof UnknownModelError)) throw error;
      const models = [...NETWORK_UPSCALERS.values()].map(({ model }) => model);
      // The user's own files come last in the catalogue, and are what he may mean.
      const others = error.known.filter((one) => !models.includes(one)).reverse();
      const known = [AUTO, ...PIL_UPSCALERS, ...REALESRGAN_UPSCALERS, ...others];
      const message = `upscaler: there is no '${name.slice(0, 80)}'. ${unknownName(name, known, error.hint)}`;
      throw new UnknownUpscalerError(oneLine(message), { cause: error });
    }
  }
}

/** Whether another model may do better. */
function isOfModel(error: unknown): error is Error {
  return error instanceof UnknownUpscalerError || (error instanceof HiresFixError && error.fault === 'model');
}

/** A caller who leaves the choice to AUTO cannot know whether the strength will mean something. */
function ignoredStrength(name: string, strength: number | undefined): string[] {
  return strength === undefined ? [] : [`denoise_strength was ignored: ${name} does not take it`];
}
