import { ModelUnavailableError, UnknownModelError } from '../../catalog/errors.ts';
import type { CatalogEntry } from '../../catalog/catalog-entry.ts';
import type { ModelCatalog } from '../../catalog/model-catalog.ts';
import type { Config } from '../../config.ts';
import type { ExtrasUpscaler } from '../../options/extras-options.ts';
import { UnknownUpscalerError } from '../../processing/errors.ts';
import { NETWORK_UPSCALERS, PIL_UPSCALERS } from '../../processing/upscale/upscalers.ts';

/** An upscaler as the A1111 routes list it. */
export interface OfferedUpscaler {
  /** As the WebUI calls it. */
  readonly name: string;
  /** The WebUI's "None" has none. */
  readonly use: ExtrasUpscaler | undefined;
  /** Catalogue name of its weights. */
  readonly model: string | null;
  readonly filename: string | null;
  /** Where the weights are published. */
  readonly url: string | null;
  /** None where any size is made. */
  readonly scale: number | null;
}

/** The name by which clients ask for no upscaler. */
export const NONE = 'None';
/** The general model with all of the noise kept out, which the WebUI lists as a model of its own. */
const WDN_NAME = 'R-ESRGAN General WDN 4xV3';
/** Clients of the WebUI show the upscalers that their users know first. */
const FILTERS_FIRST = ['LANCZOS', 'NEAREST'];

/** Which upscalers can be used now: those whose weights are installed or may be fetched. "None" is the first, as clients expect. */
export async function offeredUpscalers(
  catalog: Pick<ModelCatalog, 'list'>,
  { modelDownloads }: Pick<Config, 'modelDownloads'>,
): Promise<readonly OfferedUpscaler[]> {
  const entries = await catalog.list();
  const usable = (name: string): CatalogEntry | undefined =>
    entries.find(
      (entry) => entry.name === name && (entry.isInstalled || (entry.kind === 'official' && modelDownloads)),
    );
  const filters = [...new Set([...FILTERS_FIRST, ...PIL_UPSCALERS])].map((type) => offered(titled(type), type));
  const networks = [...NETWORK_UPSCALERS].flatMap(([type, { displayName, model, denoiseModel }]) => {
    const entry = usable(model);
    if (!entry) return [];
    const other = denoiseModel === undefined ? undefined : usable(denoiseModel);
    const one = offered(displayName, type, entry);
    return other ? [one, { ...offered(WDN_NAME, type, other), use: { upscaler: type, denoiseStrength: 0 } }] : [one];
  });
  const own = entries.filter((entry) => entry.isAskedByName && entry.isInstalled);
  const none = { ...offered(NONE, ''), use: undefined };
  return [
    none,
    ...filters,
    ...networks,
    ...own.map((entry) => offered(entry.name, entry.name, entry)),
    offered('AUTO', 'AUTO'),
  ];
}

/**
 * The upscaler that a client means: by the WebUI's name, by ours, or by a file's name or stem.
 * @returns undefined for "None"
 * @throws UnknownUpscalerError, which lists what there is, also for one whose weights cannot be had
 */
export async function upscalerNamed(
  asked: string,
  field: string,
  { catalog, config }: { readonly catalog: Pick<ModelCatalog, 'list' | 'obtainable'>; readonly config: Config },
): Promise<OfferedUpscaler> {
  const all = await offeredUpscalers(catalog, config);
  const wanted = asked.trim().toUpperCase() || NONE.toUpperCase();
  const byName =
    all.find(({ name }) => name.toUpperCase() === wanted) ??
    all.find(({ use }) => use?.upscaler.toUpperCase() === wanted);
  const found = byName ?? (await byFile(asked, all, catalog));
  if (found) return found;
  const names = all.map(({ name }) => name).join(', ');
  throw new UnknownUpscalerError(`${field}: there is no upscaler '${asked.slice(0, 100)}' here. There are: ${names}`);
}

async function byFile(
  asked: string,
  all: readonly OfferedUpscaler[],
  catalog: Pick<ModelCatalog, 'obtainable'>,
): Promise<OfferedUpscaler | undefined> {
  try {
    const name = await catalog.obtainable(asked);
    return all.find(({ model }) => model === name);
  } catch (error) {
    if (error instanceof UnknownModelError || error instanceof ModelUnavailableError) return undefined;
    throw error;
  }
}

function offered(name: string, upscaler: string, entry?: CatalogEntry): OfferedUpscaler {
  return {
    name,
    use: { upscaler },
    model: entry?.name ?? null,
    filename: entry?.filename ?? null,
    url: entry?.url ?? null,
    scale: entry?.scale ?? null,
  };
}

function titled(type: string): string {
  return type.charAt(0) + type.slice(1).toLowerCase();
}
