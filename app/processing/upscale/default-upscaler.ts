import { UnknownModelError } from '../../catalog/errors.ts';
import type { ModelCatalog } from '../../catalog/model-catalog.ts';
import type { Config } from '../../config.ts';
import { canonicalName, isPilUpscaler, NETWORK_UPSCALERS } from './upscalers.ts';

/**
 * What is wrong with the service's own default, for whoever starts it: no caller can do anything about it, and AUTO does without.
 * @returns undefined where `MODEL_UPSCALE` names a filter, a model that is known, or a file in `MODELS_DIR`
 */
export async function defaultUpscalerProblem(
  { modelUpscale }: Pick<Config, 'modelUpscale'>,
  catalog: Pick<ModelCatalog, 'resolve'>,
): Promise<string | undefined> {
  const name = canonicalName(modelUpscale);
  if (isPilUpscaler(name) || NETWORK_UPSCALERS.has(name)) return undefined;
  try {
    await catalog.resolve(name);
    return undefined;
  } catch (error) {
    if (!(error instanceof UnknownModelError)) throw error;
    return `MODEL_UPSCALE: there is no '${modelUpscale}'; until there is, AUTO takes COMPACT_X2 above 2x`;
  }
}
