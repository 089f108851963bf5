import { UnknownModelError } from '../../catalog/errors.ts';
import { unknownName } from '../../catalog/unknown-name.ts';
import type { Config } from '../../config.ts';
import { oneLine } from '../../errors.ts';
import type { Image } from '../../imaging/image.ts';
import { rowsOf } from '../../imaging/rows.ts';
import { restoreOptions } from '../../options/restore-options.ts';
import { BadParameterError } from '../errors.ts';
import type { ModelFetcher } from '../networks/model-fetcher.ts';
import { ModelSlot } from '../networks/model-slot.ts';
import { openNetwork } from '../networks/open-network.ts';
import { taskDevices } from '../networks/task-devices.ts';
import type { ImageContext } from '../each-image.ts';
import { NetworkStep } from './network-step.ts';
import type { ResultInfo } from '../result.ts';
import type { StageClock, StageShares } from '../stage-clock.ts';
import type { UpscaleTask } from '../upscale/upscale-plan.ts';

/** A picture to be enlarged, and what was done to it before. */
export interface CleanedImage {
  readonly image: Image;
  readonly info: Pick<ResultInfo, 'cleaned_by' | 'fallbacks' | 'warnings'>;
  /** Of the rest of the work. */
  readonly context: ImageContext;
}

/** Share of an image's progress that is spent on cleaning it. */
const CLEANING_SHARE = 0.3;
const CLEANING_STAGES: StageShares = { loading: [0, 0.05], restoring: [0.05, 1] };

type CleanerConfig = Pick<
  Config,
  'device' | 'forceCpu' | 'gpuMemoryBytes' | 'maxInputPixels' | 'maxOutputPixels' | 'tile' | 'workersPerCard'
>;

/** Runs the network that `clean` names over a picture before it is enlarged: noise or JPEG artefacts are not enlarged with it. */
export class PictureCleaner {
  readonly #config: CleanerConfig;
  readonly #models: ModelFetcher;
  /** Models that were found to be of scale 1. */
  readonly #known = new Set<string>();

  constructor(config: CleanerConfig, models: ModelFetcher) {
    this.#config = config;
    this.#models = models;
  }

  /**
   * Fetches the weights and recognises them, so that what is missing or wrong fails before any work.
   * @throws BadParameterError for a name that nothing has, or a network that is not of scale 1; ModelUnavailableError
   */
  async prepare({ options: { clean } }: UpscaleTask, { clock }: ImageContext): Promise<void> {
    if (clean === undefined || this.#known.has(clean)) return;
    const file = await cleanerFile(clean, this.#models, clock);
    const { scale, architecture, role } = openNetwork(file);
    const what = role ?? (scale === 1 ? undefined : `network that makes pictures ${scale} times as large`);
    if (what !== undefined) {
      const message = `clean: expected a network of scale 1, ${clean.slice(0, 80)} is ${architecture}, a ${what}`;
      throw new BadParameterError(oneLine(message));
    }
    this.#known.add(clean);
  }

  /** The picture as `clean` leaves it: the same size, channels, bits and alpha. The network is not kept: another takes its place. */
  async clean(image: Image, task: UpscaleTask, context: ImageContext): Promise<CleanedImage> {
    const { clean, tile } = task.options;
    if (clean === undefined) return { image, info: { fallbacks: [], warnings: [] }, context };
    const clock = context.clock.span(0, CLEANING_SHARE, CLEANING_STAGES);
    const slot = new ModelSlot();
    const step = new NetworkStep(clean, this.#config, this.#models);
    const devices = taskDevices(this.#config, task);
    const shared = { ...task, options: restoreOptions.parse({ tile }), devices, slot };
    const start = performance.now();
    try {
      const made = await clock.time('clean', () => step.run(rowsOf(image), { ...shared, ...context, clock }));
      const seconds = Math.round(performance.now() - start) / 1000;
      const data = made.image.readRows(0, image.height);
      made.image.dispose();
      return {
        image: { ...image, data },
        info: {
          cleaned_by: { ...made.info, seconds },
          fallbacks: made.fallbacks,
          warnings: made.warnings.map((warning) => `clean: ${warning}`),
        },
        context: { ...context, clock: context.clock.span(CLEANING_SHARE, 1) },
      };
    } finally {
      await slot.clear();
    }
  }
}

/** The file of the network that `clean` names. @throws BadParameterError for a name that nothing has; ModelUnavailableError */
export async function cleanerFile(clean: string, models: ModelFetcher, clock: StageClock): Promise<string> {
  return models.file(clean, clock).catch((error: unknown) => {
    if (!(error instanceof UnknownModelError)) throw error;
    const message = `clean: there is no '${clean.slice(0, 80)}'. ${unknownName(clean, error.known, error.hint)}`;
    throw new BadParameterError(oneLine(message), { cause: error });
  });
}

/** What an upscale made, with what was done before it. */
export function withCleaning<M extends { readonly info: Pick<ResultInfo, 'fallbacks' | 'warnings'> }>(
  made: M,
  { info }: CleanedImage,
): M {
  const { fallbacks, warnings, ...told } = info;
  const all = { fallbacks: [...fallbacks, ...made.info.fallbacks], warnings: [...warnings, ...made.info.warnings] };
  return { ...made, info: { ...made.info, ...told, ...all } };
}
