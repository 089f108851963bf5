import { basename } from 'node:path';
import type { ModelCatalog } from '../../catalog/model-catalog.ts';
import type { Config } from '../../config.ts';
import type { Image } from '../../imaging/image.ts';
import { isOpaque } from '../../imaging/image.ts';
import { onlyVisibleColor } from '../../imaging/one-color.ts';
import type { Rectangle } from '../../imaging/rectangle.ts';
import { rowsOf } from '../../imaging/rows.ts';
import type { UpscaleOptions } from '../../options/upscale-options.ts';
import { downloadReport } from '../download-report.ts';
import type { ModelSlot } from '../networks/model-slot.ts';
import { describePrecision } from '../networks/precision.ts';
import type { Made } from '../process-images.ts';
import type { Fallback, ResultInfo, Size } from '../result.ts';
import type { StageClock, StageShares } from '../stage-clock.ts';
import type { HoldConfig } from './hold-upscaler.ts';
import { holdUpscaler } from './hold-upscaler.ts';
import { ignoredOptions } from './ignored-options.ts';
import { regionOfResult } from './needed-part.ts';
import { passesWarning } from './passes.ts';
import type { ModelFiles } from './picture-source.ts';
import type { RealESRGANUpscaler } from './real-esrgan-upscaler.ts';
import { resizePicture } from './resize-picture.ts';
import { runPasses } from './run-passes.ts';
import type { TilingOptions } from './tile-grid.ts';
import { tilingOf } from './tile-grid.ts';
import type { OutlinedUpscaler } from './upscale-outline.ts';
import { outlineUpscale } from './upscale-outline.ts';
import type { UpscalePlan, UpscaleTask } from './upscale-plan.ts';
import { DEFAULT_SCALE } from './upscale-work.ts';
import type { UpscalerChoice, UpscalerChooser, UpscalerQuery } from './upscaler-choice.ts';
import { isPilUpscaler } from './upscalers.ts';

/** An upscaled image, and the record of how it was made. */
export interface Upscaled extends Pick<Made, 'image' | 'encodingFrom'> {
  readonly info: Pick<ResultInfo, 'upscaler' | 'fallbacks' | 'warnings' | 'scale' | 'input' | 'output'> &
    Partial<ResultInfo>;
}

/** What was chosen, and what was not and why. */
type Chosen = UpscalerChoice & { readonly fallbacks: readonly Fallback[] };

/** What was chosen, and its network, opened, where it has one. */
type OpenedUpscaler = Chosen & OutlinedUpscaler & { readonly upscaler?: RealESRGANUpscaler };

/** Which part of the progress each stage fills, with a Pillow filter and with a network; encoding begins at `_END`. */
const FILTER_STAGES: StageShares = { resizing: [0, 0.9] };
const FILTER_END = 0.9;
const NETWORK_STAGES: StageShares = { loading: [0, 0.02], upscaling: [0.02, 0.9], resizing: [0.9, 0.94] };
const NETWORK_END = 0.94;

type UpscaleConfig = HoldConfig & Pick<Config, 'maxInputPixels' | 'maxOutputPixels' | 'modelKeepAliveMs'>;

/** What chooses a network, knows its weights and holds it. */
interface UpscalerParts {
  readonly chooser: UpscalerChooser;
  readonly catalog: Pick<ModelCatalog, 'sha256'>;
  readonly slot: ModelSlot;
}

/**
 * Enlarges (or reduces) images one after another, by a Pillow filter or by a network. Sizes that the network itself does not
 * make are reached by LANCZOS after it. A network stays loaded for the images that follow, and where
 * models are kept for those of the next task.
 */
export class ImageUpscaler {
  readonly #config: UpscaleConfig;
  readonly #chooser: UpscalerChooser;
  readonly #catalog: Pick<ModelCatalog, 'sha256'>;
  readonly #slot: ModelSlot;
  /** A picture of this task was too much for fp16, of which the next task's know nothing. */
  #isWidened = false;

  constructor(config: UpscaleConfig, { chooser, catalog, slot }: UpscalerParts) {
    this.#config = config;
    this.#chooser = chooser;
    this.#catalog = catalog;
    this.#slot = slot;
  }

  /**
   * Chooses the upscaler, fetches its weights and reads them, so that what is missing or wrong fails before any work.
   * @throws OutputTooLargeError for this image; anything else is wrong with the task
   */
  async plan(image: Image, task: UpscaleTask, clock: StageClock): Promise<UpscalePlan> {
    const { chosen, size, channels } = await outlineUpscale(image, task, {
      limits: this.#config,
      choose: (query) => this.#chooseSound(query, task, clock),
      cut: () => this.#tiling(task, image),
    });
    const { name, fallbacks, upscaler } = chosen;
    const warnings = [...chosen.warnings, ...ignoredOptions(task.options, upscaler ? undefined : name)];
    const part = task.region && { part: regionOfResult(image, size, task.region) };
    return { name, size, channels, ...part, fallbacks, warnings, ...(upscaler && { network: upscaler }) };
  }

  async upscale(image: Image, plan: UpscalePlan, task: UpscaleTask, whole: StageClock): Promise<Upscaled> {
    const { name, size, part, fallbacks, network, warnings } = plan;
    if (!network) {
      const clock = whole.span(0, 1, FILTER_STAGES);
      const filter = isPilUpscaler(name) ? name : 'LANCZOS';
      const resized = await resizePicture(rowsOf(image), plan, filter, { folder: task.scratch, clock });
      const info = { ...sizes(image, size), ...regionInfo(part), upscaler: name, fallbacks, warnings };
      return { image: resized, encodingFrom: FILTER_END, info };
    }
    const clock = whole.span(0, 1, NETWORK_STAGES);
    const upscaled = await runPasses(image, { ...plan, network }, { task, clock, cut: this.#tiling(task, image) });
    const numbers = await network.precision();
    const precision = describePrecision(numbers, network.device);
    this.#isWidened ||= numbers.isWidened === true;
    return {
      image: upscaled.image,
      encodingFrom: NETWORK_END,
      info: {
        ...sizes(image, size),
        ...regionInfo(part),
        ...(await this.#describe(network, task.options)),
        ...precision,
        ...upscaled.info,
        upscaler: name,
        fallbacks: [...fallbacks, ...network.fallbacks],
        warnings: [...warnings, ...passesWarning(upscaled.info.passes), ...precision.warnings, ...network.warnings],
      },
    };
  }

  /** Releases the network, whose memory something else needs. */
  async close(): Promise<void> {
    await this.#slot.clear();
  }

  /** The task is over: its network is released, unless models are kept for the next and this one is as it was loaded. */
  async endTask(): Promise<void> {
    if (!this.#keepsModel || this.#isWidened) await this.close();
  }

  get #keepsModel(): boolean {
    return this.#config.modelKeepAliveMs > 0;
  }

  /** Chooses until the weights of the choice are sound, or the caller's own are not. */
  async #chooseSound(query: UpscalerQuery, task: UpscaleTask, clock: StageClock): Promise<OpenedUpscaler> {
    for (;;) {
      const choice = await clock.time('download', () => this.#choose(query, clock));
      const { files, automatic } = choice;
      if (!files) return { ...choice, scale: DEFAULT_SCALE };
      try {
        const upscaler = await clock.time('load', () => this.#open(files, task));
        if (automatic !== undefined) upscaler.assertBuilds();
        return { ...choice, scale: upscaler.scale, network: upscaler.tiling, upscaler };
      } catch (error) {
        this.#chooser.giveUp(choice, error);
      }
    }
  }

  async #choose(query: UpscalerQuery, clock: StageClock): Promise<Chosen> {
    const fallbacks: Fallback[] = [];
    const report = downloadReport(clock);
    try {
      const choice = await this.#chooser.choose(query, {
        onFallback: (fallback) => fallbacks.push(fallback),
        onProgress: report.onProgress,
      });
      return { ...choice, fallbacks };
    } finally {
      report.stop();
    }
  }

  async #describe({ files, architecture, scale, device }: RealESRGANUpscaler, options: UpscaleOptions) {
    return {
      model: basename(files.file),
      weights_sha256: await this.#catalog.sha256(files.file),
      ...(files.blend && { denoise_strength: files.blend.strength }),
      architecture,
      native_scale: scale,
      device_asked: options.device ?? this.#config.device,
      device,
    } satisfies Partial<ResultInfo>;
  }

  async #open(files: ModelFiles, { options, excludedDevices, isBatch }: UpscaleTask): Promise<RealESRGANUpscaler> {
    const task = { options, excludedDevices, isBatch: isBatch || this.#keepsModel };
    return holdUpscaler(files, task, { config: this.#config, catalog: this.#catalog, slot: this.#slot });
  }

  #tiling({ options, maxTile }: UpscaleTask, image: Image): TilingOptions {
    return {
      ...tilingOf(options, this.#config),
      isOpaque: isOpaque(image),
      onlyColor: onlyVisibleColor(image),
      maxTile,
    };
  }
}

function regionInfo(part: Rectangle | undefined): Pick<ResultInfo, 'region'> {
  return part ? { region: part } : {};
}

function sizes(input: Image, output: Size): Pick<ResultInfo, 'input' | 'output' | 'scale'> {
  const scale = Math.round((output.width / input.width) * 1e4) / 1e4;
  return { input: { width: input.width, height: input.height }, output, scale };
}
