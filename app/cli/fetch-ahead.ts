import { createCatalog } from '../catalog/create-catalog.ts';
import { ModelsFolderError, ModelUnavailableError } from '../catalog/errors.ts';
import type { ModelCatalog, ResolvedModel } from '../catalog/model-catalog.ts';
import type { Config } from '../config.ts';
import { readImageSize } from '../imaging/codec/image-size.ts';
import type { HiresFixTask } from '../processing/tasks.ts';
import { growth, isSizeAsked, wantedSize } from '../processing/upscale/target-size.ts';
import { DEFAULT_SCALE } from '../processing/upscale/upscale-work.ts';
import { AUTO, autoUpscalers, NETWORK_UPSCALERS } from '../processing/upscale/upscalers.ts';
import { DownloadBar } from './terminal/download-bar.ts';
import { interruptiblePart } from './interruption.ts';

/** Why a command went without a network once: it does not ask again for the pictures that come later. */
const refusals = new WeakMap<Config, string>();

/** What serves where the network that AUTO takes is not fetched. */
const WITHOUT = 'COMPACT_X2';

/**
 * Fetches what AUTO takes for these images before any work: a first command should not stand still for minutes without a word.
 * Says on stderr what is fetched, from where, and how to do without; one Ctrl-C goes on without it.
 * @returns the task, which says why AUTO goes without a network, if it does
 */
export async function fetchedAhead(task: HiresFixTask, config: Config): Promise<HiresFixTask> {
  if (
    task.images.length === 0 ||
    task.modelFile !== undefined ||
    task.options.upscaler.toUpperCase() !== AUTO ||
    !config.modelDownloads
  )
    return task;
  const before = refusals.get(config);
  if (before !== undefined) return { ...task, autoGoesWithout: before };
  const catalog = createCatalog(config);
  for (const upscaler of await upscalersOf(task, config)) {
    const missing = await missingModel(catalog, upscaler);
    const refusal = missing && (await fetchOrRefuse(catalog, missing, { upscaler, config }));
    if (refusal === undefined) continue;
    refusals.set(config, refusal);
    return { ...task, autoGoesWithout: refusal };
  }
  return task;
}

/** The networks that AUTO takes first, for all images of a task. */
async function upscalersOf({ images, options }: HiresFixTask, config: Config): Promise<ReadonlySet<string>> {
  const firstFor = (times: number): string => [...autoUpscalers(times, config)][0] ?? WITHOUT;
  const isSame = options.scale !== undefined || !isSizeAsked(options);
  if (isSame) return new Set([firstFor(options.scale ?? DEFAULT_SCALE)]);
  const sizes = await Promise.all(images.map(({ file }) => readImageSize(file).catch(() => undefined)));
  const known = sizes.filter((size) => size !== undefined); // what is wrong with the others, the worker tells
  return new Set(known.map((size) => firstFor(growth(size, wantedSize(size, options, DEFAULT_SCALE)))));
}

/** The model of an upscaler that is known, and not here. */
async function missingModel(catalog: ModelCatalog, upscaler: string): Promise<ResolvedModel | undefined> {
  const model = NETWORK_UPSCALERS.get(upscaler)?.model;
  const found = model === undefined ? undefined : await catalog.resolve(model).catch(nothingKnown);
  return found?.file === null ? found : undefined;
}

/** A folder of models that cannot be used is told by the worker, which goes without it. */
function nothingKnown(error: unknown): undefined {
  if (!(error instanceof ModelsFolderError)) throw error;
}

/** Fetches a model. Returns why it was not, where it was not. */
async function fetchOrRefuse(
  catalog: ModelCatalog,
  { name, official }: ResolvedModel,
  { upscaler, config }: { readonly upscaler: string; readonly config: Config },
): Promise<string | undefined> {
  tell(
    `AUTO uses ${upscaler}, which is not installed yet: downloading ${sizeOf(official?.size)}, once, from ${sourceOf(official?.url, config)}`,
  );
  tell(
    `Ctrl-C continues with ${WITHOUT}, which needs no download; so does --upscaler ${WITHOUT} or MODEL_DOWNLOADS=false`,
  );
  const bar = new DownloadBar(name, true);
  const reason = await interruptiblePart(async (signal) => {
    try {
      await catalog.ensure(name, { signal, onProgress: (progress) => bar.update(progress) });
      return undefined;
    } catch (error) {
      return reasonOf(error, signal, name);
    } finally {
      bar.stop();
    }
  });
  if (reason !== undefined) tell(`${reason}; continuing with ${WITHOUT}`);
  return reason;
}

/** @throws what is no reason to go on */
function reasonOf(error: unknown, signal: AbortSignal, name: string): string {
  if (signal.aborted) return `the download of ${name} was interrupted`;
  if (error instanceof ModelUnavailableError) return error.message;
  throw error;
}

function tell(line: string): void {
  process.stderr.write(`hiresfix: ${line}\n`);
}

function sizeOf(bytes: number | null | undefined): string {
  return typeof bytes === 'number' ? `${Math.round(bytes / 1e6)} MB` : 'its weights';
}

/** A mirror is tried first; a password that its URL may hold is nobody's business. */
function sourceOf(url: string | undefined, { modelMirror }: Config): string {
  return new URL(modelMirror ?? url ?? 'https://unknown.invalid').host;
}
