import { assertTakesPictures, resultChannels } from '../../architectures/picture-channels.ts';
import { recognise } from '../../architectures/registry.ts';
import { CheckpointInspector } from '../../catalog/inspection/checkpoint-inspector.ts';
import { openCheckpoint } from '../../checkpoints/open-checkpoint.ts';
import type { Config } from '../../config.ts';
import { isOnnxName } from '../../exported/picture-model.ts';
import type { ImageShape } from '../../imaging/image.ts';
import type { Fallback } from '../result.ts';
import type { HiresFixTask } from '../tasks.ts';
import { coverCrop, growth, isSizeAsked, targetSize, wantedSize } from '../upscale/target-size.ts';
import type { TiledNetwork } from '../upscale/tile-grid.ts';
import { tilingOf } from '../upscale/tile-grid.ts';
import { DEFAULT_SCALE, workOfUpscale } from '../upscale/upscale-work.ts';
import type { UpscalerQuery } from '../upscale/upscaler-choice.ts';
import { UpscalerChooser } from '../upscale/upscaler-choice.ts';
import { NETWORK_UPSCALERS } from '../upscale/upscalers.ts';
import { assertWithin } from '../upscale/work.ts';
import type { NotedModels } from './noted-models.ts';

type AskedUpscale = Pick<HiresFixTask, 'autoGoesWithout' | 'modelFile' | 'options'>;

/** An upscaler, and what is known of its network. */
interface ForeseenUpscaler {
  readonly name: string;
  /** By how much it enlarges where no size is asked for. */
  readonly scale: number;
  /** Missing for Pillow's filters and ONNX files, and where the weights are still to be fetched and are none that is known by name. */
  readonly network?: TiledNetwork | undefined;
}

/** The picture that an upscale would make, and what would make it. */
interface UpscaleOutlook {
  readonly upscaler: string;
  readonly shape: ImageShape;
  readonly fallbacks: readonly Fallback[];
}

/** Says what `ImageUpscaler` would make of a picture, from its shape and the headers of the weights alone. */
export class UpscaleForecast {
  readonly #config: Config;
  readonly #models: NotedModels;
  readonly #chooser: UpscalerChooser;
  readonly #networks = new Map<string, TiledNetwork>();
  readonly #inspector = new CheckpointInspector();

  constructor(config: Config, models: NotedModels) {
    this.#config = config;
    this.#models = models;
    this.#chooser = new UpscalerChooser(config, models);
  }

  /** @throws what `ImageUpscaler.plan` throws */
  async of(image: ImageShape, { options, ...asked }: AskedUpscale): Promise<UpscaleOutlook> {
    const { maxOutputPixels } = this.#config;
    if (isSizeAsked(options)) targetSize(image, options, DEFAULT_SCALE, maxOutputPixels);
    const fallbacks: Fallback[] = [];
    const { name, scale, network } = await this.#choose(
      {
        ...asked,
        asked: options.upscaler,
        denoiseStrength: options.denoise_strength,
        growth: growth(image, wantedSize(image, options, DEFAULT_SCALE)),
      },
      (fallback) => void fallbacks.push(fallback),
    );
    const size = targetSize(image, options, scale, maxOutputPixels);
    const shape = { ...image, ...(coverCrop(size, options) ?? size) };
    if (!network) return { upscaler: name, shape, fallbacks };
    const cut = { ...tilingOf(options, this.#config), isOpaque: true };
    assertWithin(this.#config, workOfUpscale(image, { name, size, network }, options, cut));
    return { upscaler: name, shape: { ...shape, channels: resultChannels(network, image.channels) }, fallbacks };
  }

  /** Chooses until what is known of the weights is sound, or the caller's own are not. */
  async #choose(query: UpscalerQuery, onFallback: (fallback: Fallback) => void): Promise<ForeseenUpscaler> {
    for (;;) {
      const choice = await this.#chooser.choose(query, { onFallback });
      const { name, files } = choice;
      if (!files) return { name, scale: DEFAULT_SCALE };
      const missing = this.#models.missing(files.file);
      if (missing) return { name, scale: missing.scale, network: NETWORK_UPSCALERS.get(name)?.tiling };
      try {
        if (isOnnxName(files.file)) return { name, scale: (await this.#inspector.inspect(files.file)).scale };
        const network = this.#networkIn(files.file);
        return { name, scale: network.scale, network };
      } catch (error) {
        this.#chooser.giveUp(choice, error);
      }
    }
  }

  #networkIn(file: string): TiledNetwork {
    const known = this.#networks.get(file);
    if (known) return known;
    const network = recognise(openCheckpoint(file));
    assertTakesPictures(network);
    this.#networks.set(file, network);
    return network;
  }
}
