import { basename } from 'node:path';
import { resultChannels } from '../../architectures/picture-channels.ts';
import type { ModelCatalog } from '../../catalog/model-catalog.ts';
import type { Config } from '../../config.ts';
import type { Channels, Image } from '../../imaging/image.ts';
import { isOpaque } from '../../imaging/image.ts';
import { resample, resampleRegion } from '../../imaging/pillow/resample.ts';
import type { Rectangle } from '../../imaging/rectangle.ts';
import type { RowSource } from '../../imaging/rows.ts';
import { rowsOf } from '../../imaging/rows.ts';
import { ScratchImage } from '../../imaging/scratch-image.ts';
import { settledAlpha } from '../../imaging/settled-alpha.ts';
import { visibleRows } from '../../imaging/visible-colors.ts';
import { downloadReport } from '../download-report.ts';
import type { ModelSlot } from '../networks/model-slot.ts';
import { describePrecision } from '../networks/precision.ts';
import type { HoldConfig } from './hold-upscaler.ts';
import { holdUpscaler } from './hold-upscaler.ts';
import type { ModelFiles } from './picture-source.ts';
import type { TilingUsed } from './real-esrgan-upscaler.ts';
import type { RealESRGANUpscaler } from './real-esrgan-upscaler.ts';
import type { Made } from '../process-images.ts';
import type { Fallback, ResultInfo, RunningOn, Size } from '../result.ts';
import type { StageClock, StageShares } from '../stage-clock.ts';
import { neededByPass, regionOfResult } from './needed-part.ts';
import { passesFor, passesWarning, shapesByPass, viewsFor } from './passes.ts';
import { growth, isSizeAsked, targetSize, wantedSize } from './target-size.ts';
import type { UpscaleOptions } from '../../options/upscale-options.ts';
import type { TilingOptions } from './tile-grid.ts';
import { pixelsSeen, tilingOf } from './tile-grid.ts';
import { DEFAULT_SCALE, workOfUpscale } from './upscale-work.ts';
import { assertWithin } from './work.ts';
import type { UpscalerChoice, UpscalerChooser, UpscalerQuery } from './upscaler-choice.ts';
import { isPilUpscaler } from './upscalers.ts';
import type { PilUpscaler } from './upscalers.ts';

/** What is the same for all images of a task. */
export interface UpscaleTask {
  readonly options: UpscaleOptions;
  readonly modelFile?: string | undefined;
  readonly autoGoesWithout?: string | undefined;
  readonly isBatch: boolean;
  /** A region of each image that alone is wanted, in its pixels; by default all of it. */
  readonly region?: Rectangle | undefined;
  /** Folder of scratch files. */
  readonly scratch: string;
  readonly excludedDevices: readonly string[];
  readonly maxTile?: number | undefined;
  /** Called before the first tile of an image. */
  readonly onRunning: (on: RunningOn) => void;
}

/** What is going to be done to an image. */
export interface UpscalePlan {
  /** The upscaler that was chosen. */
  readonly name: string;
  /** Of the result, or of the whole that a part is wanted of. */
  readonly size: Size;
  /** Where the part lies in it that is wanted; by default all of it is. */
  readonly part?: Rectangle;
  readonly channels: Channels;
  readonly fallbacks: readonly Fallback[];
  readonly warnings: readonly string[];
  /** None if a Pillow filter does it. */
  readonly network?: RealESRGANUpscaler;
}

/** The size of a whole result, and the part of it that is wanted. */
interface SizedPlan {
  readonly size: Size;
  readonly part: Rectangle | undefined;
}

/** Where a resized picture goes. */
interface ResizePlace {
  /** Of scratch files. */
  readonly folder: string;
  readonly clock: StageClock;
  /** The picture whose alpha is settled in the result, where a network made it. */
  readonly alphaOf?: Image | undefined;
}

/** An upscaled image, and the record of how it was made. */
export interface Upscaled extends Pick<Made, 'image' | 'encodingFrom'> {
  readonly info: Pick<ResultInfo, 'upscaler' | 'fallbacks' | 'warnings' | 'scale' | 'input' | 'output'> &
    Partial<ResultInfo>;
}

/** What was chosen, and what was not and why. */
type Chosen = UpscalerChoice & { readonly fallbacks: readonly Fallback[] };

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
    const { options, modelFile } = task;
    const { maxOutputPixels } = this.#config;
    if (isSizeAsked(options)) targetSize(image, options, DEFAULT_SCALE, maxOutputPixels); // before anything is fetched
    const query = {
      asked: options.upscaler,
      modelFile,
      autoGoesWithout: task.autoGoesWithout,
      denoiseStrength: options.denoise_strength,
      growth: growth(image, wantedSize(image, options, DEFAULT_SCALE)),
    };
    const { choice, network } = await this.#chooseSound(query, task, clock);
    const { name, fallbacks, warnings } = choice;
    const size = targetSize(image, options, network?.scale ?? DEFAULT_SCALE, maxOutputPixels);
    if (network) {
      const work = workOfUpscale(image, { name, size, network: network.tiling }, options, this.#tiling(task, image));
      assertWithin(this.#config, work);
    }
    const channels = network ? resultChannels(network.tiling, image.channels) : image.channels;
    const part = task.region && { part: regionOfResult(image, size, task.region) };
    return { name, size, channels, ...part, fallbacks, warnings, ...(network && { network }) };
  }

  async upscale(image: Image, plan: UpscalePlan, task: UpscaleTask, whole: StageClock): Promise<Upscaled> {
    const { name, size, part, fallbacks, network, warnings } = plan;
    if (!network) {
      const clock = whole.span(0, 1, FILTER_STAGES);
      const filter = isPilUpscaler(name) ? name : 'LANCZOS';
      const resized = await this.#resize(rowsOf(image), { size, part }, filter, { folder: task.scratch, clock });
      const info = { ...sizes(image, size), ...regionInfo(part), upscaler: name, fallbacks, warnings };
      return { image: resized, encodingFrom: FILTER_END, info };
    }
    const clock = whole.span(0, 1, NETWORK_STAGES);
    const upscaled = await this.#runNetwork(image, plan, network, { task, clock });
    const precision = describePrecision(network.precision, network.device);
    this.#isWidened ||= network.precision.isWidened === true;
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
  async #chooseSound(
    query: UpscalerQuery,
    task: UpscaleTask,
    clock: StageClock,
  ): Promise<{ readonly choice: Chosen; readonly network: RealESRGANUpscaler | undefined }> {
    for (;;) {
      const choice = await clock.time('download', () => this.#choose(query, clock));
      const { files, automatic } = choice;
      if (!files) return { choice, network: undefined };
      try {
        const network = await clock.time('load', () => this.#open(files, task));
        if (automatic !== undefined) network.assertBuilds();
        return { choice, network };
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

  /** One or two passes of the network, then to the exact size by LANCZOS. */
  async #runNetwork(
    image: Image,
    { name, size, part }: UpscalePlan,
    network: RealESRGANUpscaler,
    { task, clock }: { readonly task: UpscaleTask; readonly clock: StageClock },
  ): Promise<{ image: ScratchImage; info: TilingUsed & { passes: number } }> {
    const cut = this.#tiling(task, image);
    let source: RowSource | ScratchImage = cut.tilePad === 'auto' ? visibleRows(rowsOf(image)) : rowsOf(image);
    // What a part needs depends on the tiles, and these on the device that is to be had.
    const [first] = part ? this.#tilings(image, { name, size, part, network }, task) : [];
    const whole = source;
    if (first) await clock.time('load', () => network.load(whole, first));
    const tilings = this.#tilings(image, { name, size, part, network }, task);
    const passes = tilings.length;
    let used: TilingUsed | undefined;
    for (const [pass, tiling] of tilings.entries()) {
      const input: RowSource = source;
      await clock.time('load', async () => {
        clock.at('loading', 0);
        const { tile } = await network.load(input, tiling);
        clock.at('loading', 1);
        task.onRunning({ device: network.device, tile, side: Math.max(input.width, input.height) });
      });
      const result = await clock.time('upscale', () =>
        network.upscale(input, task.scratch, tiling, (tile, tiles, made) =>
          clock.at('upscaling', (pass + tile / tiles) / passes, { tile, tiles }, made),
        ),
      );
      if (source instanceof ScratchImage) source.dispose();
      source = result.image;
      used = used ? { ...used, tiles: used.tiles + result.used.tiles } : result.used;
    }
    if (!(source instanceof ScratchImage) || !used) throw new RangeError('a network runs at least once');
    const place = { folder: task.scratch, clock, alphaOf: network.settlesAlpha(cut) ? image : undefined };
    return { image: await this.#toSize(source, { size, part }, place), info: { ...used, passes } };
  }

  /** How each pass is cut, and what of it is needed where only a part of the result is. */
  #tilings(
    image: Image,
    { name, size, part, network }: SizedPlan & { readonly name: string; readonly network: RealESRGANUpscaler },
    task: UpscaleTask,
  ): readonly TilingOptions[] {
    const cut = this.#tiling(task, image);
    const shapes = shapesByPass(network.tiling, image, passesFor(network.scale, growth(image, size)));
    const seen = shapes.map((shape) => pixelsSeen(network.tiling, shape, cut));
    const tilings = seen.map((pixels) => ({ ...cut, views: viewsFor(name, pixels, task.options, cut) }));
    if (!part) return tilings;
    const needed = neededByPass(network, shapes, tilings, { whole: size, region: part });
    return tilings.map((tiling, pass) => ({ ...tiling, needed: needed[pass] }));
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
    return { ...tilingOf(options, this.#config), isOpaque: isOpaque(image), maxTile };
  }

  async #toSize(source: ScratchImage, wanted: SizedPlan, place: ResizePlace): Promise<ScratchImage> {
    const { size, part } = wanted;
    if (!part && source.width === size.width && source.height === size.height) return source;
    try {
      return await this.#resize(source, wanted, 'LANCZOS', place);
    } finally {
      source.dispose();
    }
  }

  async #resize(
    source: RowSource,
    { size, part }: SizedPlan,
    filter: PilUpscaler,
    { folder, clock, alphaOf }: ResizePlace,
  ): Promise<ScratchImage> {
    const { channels, depth } = source;
    const { width, height } = part ?? size;
    const image = ScratchImage.create(folder, { width, height, channels, depth });
    const whole = { x: 0, y: 0, ...size };
    const sink = alphaOf ? settledAlpha(image, rowsOf(alphaOf), { whole: size, region: part ?? whole }) : image;
    const onProgress = (fraction: number) => clock.at('resizing', fraction);
    await clock.time('resize', () =>
      part
        ? resampleRegion(source, sink, filter, { whole: size, region: part })
        : resample(source, sink, filter, { onProgress }),
    );
    return image;
  }
}

function regionInfo(part: Rectangle | undefined): Pick<ResultInfo, 'region'> {
  return part ? { region: part } : {};
}

function sizes(input: Image, output: Size): Pick<ResultInfo, 'input' | 'output' | 'scale'> {
  const scale = Math.round((output.width / input.width) * 1e4) / 1e4;
  return { input: { width: input.width, height: input.height }, output, scale };
}
