import { parse } from 'node:path';
import type { Config } from '../config.ts';
import type { ModelCatalog } from '../catalog/model-catalog.ts';
import { ModelUnavailableError, UnknownModelError } from '../catalog/errors.ts';
import type { DownloadOptions } from '../catalog/model-downloader.ts';
import { BadParameterError, UnknownUpscalerError } from './errors.ts';
import type { ModelFiles } from './real-esrgan-upscaler.ts';
import type { Fallback } from './result.ts';
import type { PilUpscaler } from './upscalers.ts';
import { NETWORK_UPSCALERS, PIL_UPSCALERS, REALESRGAN_UPSCALERS, isPilUpscaler } from './upscalers.ts';

/** The upscaler that will run: a Pillow filter, or a network with its weights. */
export type UpscalerChoice =
  { readonly name: PilUpscaler; readonly files?: undefined } | { readonly name: string; readonly files: ModelFiles };

export interface UpscalerQuery {
  /** AUTO, an `UpscalerType`, an A1111 name, or a file in `MODELS_DIR`. */
  readonly asked: string;
  /** A checkpoint that the command line named by its path; it goes before `asked`. */
  readonly modelFile?: string | undefined;
  readonly denoiseStrength?: number | undefined;
  /** How many times the sides grow: what AUTO goes by. */
  readonly growth: number;
}

const AUTO = 'AUTO';
/** The largest growth for which AUTO takes the 2x network: it folds pixels and costs a quarter of the 4x one. */
const AUTO_X2_LIMIT = 2;

/** Short names of `MODEL_UPSCALE`. */
const SHORT_NAMES: ReadonlyMap<string, string> = new Map([
  ['x2plus', 'REALESRGAN_X2PLUS'],
  ['x4plus', 'REALESRGAN_X4PLUS'],
  ['x4anime', 'REALESRGAN_X4PLUS_ANIME'],
  ['x4net', 'REALESRNET_X4PLUS'],
  ['animevideov3', 'REALESR_ANIMEVIDEO_V3'],
  ['general-x4v3', 'REALESR_GENERAL_X4_V3'],
  ['compact-x2', 'COMPACT_X2'],
]);

/** Finds the upscaler that a caller means, and its weights, fetching them where they are missing. */
export class UpscalerChooser {
  readonly #config: Pick<Config, 'modelUpscale'>;
  readonly #catalog: Pick<ModelCatalog, 'ensure'>;

  constructor(config: Pick<Config, 'modelUpscale'>, catalog: Pick<ModelCatalog, 'ensure'>) {
    this.#config = config;
    this.#catalog = catalog;
  }

  /**
   * @throws UnknownUpscalerError for a name that is none; ModelUnavailableError where the weights of a named upscaler
   * cannot be had. AUTO never fails for want of weights: it falls back, and says so.
   */
  async choose(
    query: UpscalerQuery,
    hooks: DownloadOptions & { readonly onFallback: (fallback: Fallback) => void },
  ): Promise<UpscalerChoice> {
    const { asked, modelFile } = query;
    if (modelFile !== undefined) return { name: parse(modelFile).name, files: { file: modelFile } };
    if (asked.toUpperCase() !== AUTO) return this.#named(canonicalName(asked), query, hooks);
    const preferred = query.growth <= AUTO_X2_LIMIT ? 'REALESRGAN_X2PLUS' : canonicalName(this.#config.modelUpscale);
    for (const name of new Set([preferred, 'COMPACT_X2'])) {
      try {
        return await this.#named(name, query, hooks);
      } catch (error) {
        if (!(error instanceof ModelUnavailableError || error instanceof UnknownModelError)) throw error;
        hooks.onFallback({ from: name, to: name === 'COMPACT_X2' ? 'LANCZOS' : 'COMPACT_X2', reason: error.message });
      }
    }
    return { name: 'LANCZOS' };
  }

  async #named(name: string, query: UpscalerQuery, hooks: DownloadOptions): Promise<UpscalerChoice> {
    const { denoiseStrength } = query;
    const network = NETWORK_UPSCALERS.get(name);
    if (denoiseStrength !== undefined && network?.denoiseModel === undefined && query.asked.toUpperCase() !== AUTO) {
      throw new BadParameterError(`denoise_strength: only REALESR_GENERAL_X4_V3 takes it, not ${query.asked}`);
    }
    if (isPilUpscaler(name)) return { name };
    if (network === undefined) return { name: parse(name).name, files: { file: await this.#userFile(name) } };
    const { file } = await this.#catalog.ensure(network.model, hooks);
    if (network.denoiseModel === undefined || denoiseStrength === undefined || denoiseStrength === 1) {
      return { name, files: { file } };
    }
    const other = await this.#catalog.ensure(network.denoiseModel, hooks);
    return { name, files: { file, blend: { file: other.file, strength: denoiseStrength } } };
  }

  async #userFile(name: string): Promise<string> {
    try {
      return (await this.#catalog.ensure(name)).file;
    } catch (error) {
      if (!(error instanceof UnknownModelError)) throw error;
      const known = [AUTO, ...PIL_UPSCALERS, ...REALESRGAN_UPSCALERS, ...error.known];
      throw new UnknownUpscalerError(`upscaler: there is no '${name}'. Known: ${[...new Set(known)].join(', ')}`, {
        cause: error,
      });
    }
  }
}

/** An `UpscalerType` for every spelling of it that clients use; any other name as it is. */
function canonicalName(name: string): string {
  const upper = name.toUpperCase();
  if (isPilUpscaler(upper) || NETWORK_UPSCALERS.has(upper)) return upper;
  const short = SHORT_NAMES.get(name.toLowerCase());
  if (short !== undefined) return short;
  const displayed = [...NETWORK_UPSCALERS].find(([, { displayName }]) => displayName.toUpperCase() === upper);
  return displayed?.[0] ?? name;
}
