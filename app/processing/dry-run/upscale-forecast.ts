import { assertTakesPictures } from '../../architectures/picture-channels.ts';
import { recognise } from '../../architectures/registry.ts';
import { CheckpointInspector } from '../../catalog/inspection/checkpoint-inspector.ts';
import { openCheckpoint } from '../../checkpoints/open-checkpoint.ts';
import type { Config } from '../../config.ts';
import { isOnnxName } from '../../exported/picture-model.ts';
import type { ImageShape } from '../../imaging/image.ts';
import type { Fallback } from '../result.ts';
import { coverCrop } from '../upscale/target-size.ts';
import type { TiledNetwork } from '../upscale/tile-grid.ts';
import { tilingOf } from '../upscale/tile-grid.ts';
import type { AskedUpscale, OutlinedUpscaler } from '../upscale/upscale-outline.ts';
import { outlineUpscale } from '../upscale/upscale-outline.ts';
import { DEFAULT_SCALE } from '../upscale/upscale-work.ts';
import type { UpscalerQuery } from '../upscale/upscaler-choice.ts';
import { UpscalerChooser } from '../upscale/upscaler-choice.ts';
import { NETWORK_UPSCALERS } from '../upscale/upscalers.ts';
import type { NotedModels } from './noted-models.ts';

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
  async of(image: ImageShape, asked: AskedUpscale): Promise<UpscaleOutlook> {
    const fallbacks: Fallback[] = [];
    const { chosen, size, channels } = await outlineUpscale(image, asked, {
      limits: this.#config,
      choose: (query) => this.#choose(query, (fallback) => void fallbacks.push(fallback)),
      cut: () => ({ ...tilingOf(asked.options, this.#config), isOpaque: true }),
    });
    const shape = { ...image, ...(coverCrop(size, asked.options) ?? size), channels };
    return { upscaler: chosen.name, shape, fallbacks };
  }

  /** Chooses until what is known of the weights is sound, or the caller's own are not. */
  async #choose(query: UpscalerQuery, onFallback: (fallback: Fallback) => void): Promise<OutlinedUpscaler> {
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
