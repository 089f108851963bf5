import { basename } from 'node:path';
import type { ModelCatalog } from '../catalog/model-catalog.ts';
import type { Config } from '../config.ts';
import type { Image } from '../imaging/image.ts';
import { isOpaque } from '../imaging/image.ts';
import { resample } from '../imaging/resample.ts';
import type { RowSource } from '../imaging/rows.ts';
import { rowsOf } from '../imaging/rows.ts';
import { ScratchImage } from '../imaging/scratch-image.ts';
import type { SessionDevice } from '../inference/devices.ts';
import { deviceLadder } from '../inference/devices.ts';
import { installedDevices } from '../inference/session.ts';
import type { ModelFiles, TilingOptions, TilingUsed } from './real-esrgan-upscaler.ts';
import { RealESRGANUpscaler } from './real-esrgan-upscaler.ts';
import type { Fallback, ResultInfo, Size } from './result.ts';
import type { StageClock } from './stage-clock.ts';
import { growth, targetSize } from './target-size.ts';
import type { UpscaleOptions } from './upscale-options.ts';
import type { UpscalerChooser } from './upscaler-choice.ts';
import type { PilUpscaler } from './upscalers.ts';

/** What holds for all images of a task. */
export interface UpscaleTask {
  readonly options: UpscaleOptions;
  readonly modelFile?: string | undefined;
  readonly isBatch: boolean;
  /** Folder of scratch files. */
  readonly scratch: string;
  readonly excludedDevices: readonly string[];
  readonly maxTile?: number | undefined;
  /** Called before the first tile of an image. */
  readonly onRunning: (on: RunningOn) => void;
}

/** Where a network runs. */
export interface RunningOn {
  readonly device: SessionDevice;
  /** Core side in input pixels; 0 is the whole image. */
  readonly tile: number;
}

/** An upscaled image and what is to be said of how it came about. */
export interface Upscaled {
  readonly image: ScratchImage;
  readonly info: Pick<ResultInfo, 'upscaler' | 'fallbacks' | 'warnings' | 'scale' | 'input' | 'output'> &
    Partial<ResultInfo>;
}

/** Growth of the Pillow filters and of AUTO where nothing was asked. */
const DEFAULT_SCALE = 2;

/**
 * Enlarges (or reduces) one image after another: by a Pillow filter or by a network, as the upscaler's set says, and to sizes
 * that the network has not by LANCZOS. A network stays loaded for the images that follow.
 */
export class ImageUpscaler {
  readonly #config: Config;
  readonly #chooser: UpscalerChooser;
  readonly #catalog: Pick<ModelCatalog, 'sha256'>;
  #network: { readonly key: string; readonly upscaler: RealESRGANUpscaler } | undefined;

  constructor(config: Config, chooser: UpscalerChooser, catalog: Pick<ModelCatalog, 'sha256'>) {
    this.#config = config;
    this.#chooser = chooser;
    this.#catalog = catalog;
  }

  async upscale(image: Image, task: UpscaleTask, clock: StageClock): Promise<Upscaled> {
    const { options } = task;
    const fallbacks: Fallback[] = [];
    const onFallback = (fallback: Fallback) => fallbacks.push(fallback);
    const wanted = targetSize(image, options, DEFAULT_SCALE, this.#config.maxOutputPixels);
    const query = {
      asked: options.upscaler,
      modelFile: task.modelFile,
      denoiseStrength: options.denoise_strength,
      growth: growth(image, wanted),
    };
    const choice = await clock.time('download', () =>
      this.#chooser.choose(query, {
        onFallback,
        onProgress: ({ downloadedBytes, totalBytes }) =>
          clock.at('downloading', totalBytes ? downloadedBytes / totalBytes : 0, {
            downloadedBytes,
            ...(totalBytes ? { totalBytes } : {}),
          }),
      }),
    );
    if (choice.files === undefined) {
      clock.shares = { resizing: [0, 0.9], encoding: [0.9, 1] };
      const resized = await this.#resize(rowsOf(image), wanted, choice.name, { folder: task.scratch, clock });
      return { image: resized, info: { ...sizes(image, wanted), upscaler: choice.name, fallbacks, warnings: [] } };
    }
    clock.shares = { loading: [0, 0.02], upscaling: [0.02, 0.9], resizing: [0.9, 0.94], encoding: [0.94, 1] };
    const upscaler = await clock.time('load', () => this.#open(choice.files, task, onFallback));
    const upscaled = await this.#runNetwork(image, upscaler, task, clock);
    return {
      image: upscaled.image,
      info: { ...upscaled.info, upscaler: choice.name, fallbacks, warnings: upscaled.warnings },
    };
  }

  async close(): Promise<void> {
    await this.#network?.upscaler.close();
    this.#network = undefined;
  }

  async #runNetwork(
    image: Image,
    upscaler: RealESRGANUpscaler,
    task: UpscaleTask,
    clock: StageClock,
  ): Promise<{
    image: ScratchImage;
    info: Omit<Upscaled['info'], 'upscaler' | 'fallbacks' | 'warnings'>;
    warnings: string[];
  }> {
    const { options } = task;
    const wanted = targetSize(image, options, upscaler.scale, this.#config.maxOutputPixels);
    const passes = passesFor(upscaler.scale, growth(image, wanted));
    const tiling = this.#tiling(task, image);
    let source: RowSource = rowsOf(image);
    let scratch: ScratchImage | undefined;
    let used: TilingUsed | undefined;
    for (let pass = 0; pass < passes; pass++) {
      await clock.time('load', async () => {
        clock.at('loading', 0);
        const { tile } = await upscaler.load(source, tiling);
        task.onRunning({ device: upscaler.device, tile });
      });
      const input = source;
      const result = await clock.time('upscale', () =>
        upscaler.upscale(input, task.scratch, tiling, (tile, tiles) =>
          clock.at('upscaling', (pass + tile / tiles) / passes, { tile, tiles }),
        ),
      );
      scratch?.dispose();
      scratch = result.image;
      source = scratch;
      used = used ? { ...used, tiles: used.tiles + result.used.tiles } : result.used;
    }
    if (!scratch) throw new RangeError('a network runs at least once');
    const final = await this.#toSize(scratch, wanted, { folder: task.scratch, clock });
    return {
      image: final,
      info: { ...sizes(image, wanted), ...(await this.#describe(upscaler, options)), ...used, passes },
      warnings: passes > 1 ? [`the network ran ${passes} times, which is nearer to the size asked for`] : [],
    };
  }

  async #describe(upscaler: RealESRGANUpscaler, options: UpscaleOptions): Promise<Partial<ResultInfo>> {
    return {
      model: basename(upscaler.files.file),
      weights_sha256: await this.#catalog.sha256(upscaler.files.file),
      architecture: upscaler.architecture,
      native_scale: upscaler.scale,
      device_asked: options.device ?? this.#config.device,
      device: upscaler.device,
      precision: 'fp32',
    };
  }

  async #open(
    files: ModelFiles,
    task: UpscaleTask,
    onFallback: (fallback: Fallback) => void,
  ): Promise<RealESRGANUpscaler> {
    const key = JSON.stringify(files);
    if (this.#network?.key === key) return this.#network.upscaler;
    await this.close();
    const devices = this.#devices(task);
    const upscaler = RealESRGANUpscaler.open(files, { devices, isBatch: task.isBatch, onFallback });
    this.#network = { key, upscaler };
    return upscaler;
  }

  #devices({ options, excludedDevices }: UpscaleTask): SessionDevice[] {
    if (this.#config.forceCpu) return ['cpu'];
    return deviceLadder(options.device ?? this.#config.device, installedDevices(), excludedDevices);
  }

  #tiling({ options, maxTile }: UpscaleTask, image: Image): TilingOptions {
    return {
      isOpaque: isOpaque(image),
      tile: options.tile ?? this.#config.tile,
      tilePad: options.tile_pad ?? this.#config.tilePad,
      prePad: options.pre_pad,
      maxTile,
    };
  }

  async #toSize(
    source: ScratchImage,
    size: Size,
    place: { readonly folder: string; readonly clock: StageClock },
  ): Promise<ScratchImage> {
    if (source.width === size.width && source.height === size.height) return source;
    const resized = await this.#resize(source, size, 'LANCZOS', place);
    source.dispose();
    return resized;
  }

  async #resize(
    source: RowSource,
    size: Size,
    filter: PilUpscaler,
    { folder, clock }: { readonly folder: string; readonly clock: StageClock },
  ): Promise<ScratchImage> {
    const { channels, depth } = source;
    const sink = ScratchImage.create(folder, { ...size, channels, depth });
    await clock.time('resize', () =>
      resample(source, sink, filter, { onProgress: (fraction) => clock.at('resizing', fraction) }),
    );
    return sink;
  }
}

/** Twice where that comes nearer to the factor asked for than once: 16x of a 4x network, not 8x. */
function passesFor(scale: number, factor: number): number {
  return scale > 1 && factor > scale ** 1.5 ? 2 : 1;
}

function sizes(input: Image, output: Size): Pick<ResultInfo, 'input' | 'output' | 'scale'> {
  const scale = Math.round((output.width / input.width) * 1e4) / 1e4;
  return { input: { width: input.width, height: input.height }, output, scale };
}
