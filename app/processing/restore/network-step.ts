import { basename } from 'node:path';
import { UnknownNetworkError } from '../../architectures/errors.ts';
import { assertTakesPictures } from '../../architectures/picture-channels.ts';
import type { Config } from '../../config.ts';
import type { ImageShape } from '../../imaging/image.ts';
import { withAlphaOf, withoutAlpha } from '../../imaging/rgb-rows.ts';
import type { RowSource } from '../../imaging/rows.ts';
import { ScratchImage } from '../../imaging/scratch-image.ts';
import type { TileRows } from '../../imaging/tiling.ts';
import { evenTiles, padReflect, padZeros, sparseTiles } from '../../imaging/tiling.ts';
import { weightsFolderOf } from '../../inference/session.ts';
import type { ImageStep, StepContext, StepResult } from './image-step.ts';
import type { ModelFetcher } from '../networks/model-fetcher.ts';
import { checkpointSessions } from '../networks/checkpoint-sessions.ts';
import { deviceMemory } from '../networks/device-memory.ts';
import { fileStamps } from '../networks/file-stamps.ts';
import { NetworkRunner } from '../networks/network-runner.ts';
import { FP32 } from '../networks/precision.ts';
import { autoCore, autoWindow, networkOn } from '../networks/tile-size.ts';
import { assertWithin, workOf } from '../upscale/work.ts';
import { openNetwork } from '../networks/open-network.ts';

type StepConfig = Pick<Config, 'gpuMemoryBytes' | 'maxInputPixels' | 'maxOutputPixels' | 'tile' | 'workersPerCard'>;

interface Plan {
  readonly padded: RowSource;
  readonly tiles: TileRows;
  readonly count: number;
  /** Core side in pixels; 0 is the whole image. */
  readonly core: number;
}

/**
 * A network from picture to picture at one size (NAFNet). It runs over the whole image if memory allows, since such a network may
 * weigh channels by their mean over all that it sees; else over overlapping tiles. Gray stays gray, 16 bits stay 16; alpha does
 * not go through the network.
 */
export class NetworkStep implements ImageStep {
  readonly #model: string;
  readonly #config: StepConfig;
  readonly #models: ModelFetcher;

  /** @param model its catalogue name */
  constructor(model: string, config: StepConfig, models: ModelFetcher) {
    this.#model = model;
    this.#config = config;
    this.#models = models;
  }

  async prepare({ clock }: Pick<StepContext, 'clock'>): Promise<void> {
    await this.#models.file(this.#model, clock);
  }

  shapeOf(source: ImageShape): ImageShape {
    return source;
  }

  async run(source: RowSource, context: StepContext): Promise<StepResult> {
    const { clock, scratch, slot, devices, isBatch } = context;
    clock.at('loading', 0);
    const file = await this.#models.file(this.#model, clock);
    const key = JSON.stringify([file, await fileStamps(file), devices, isBatch]);
    const runner = await slot.hold(key, () => openRunner(file, context));
    const { padded, tiles, count, core } = await this.#load(source, runner, context);
    const run = { tiles, isOpaque: false };
    clock.at('restoring', 0, { tile: 0, tiles: count });
    const image = ScratchImage.create(scratch, source);
    await runner.run(padded, withAlphaOf(source, image), run, (done, made) =>
      clock.at('restoring', done / count, { tile: done, tiles: count }, made),
    );
    const { architecture, halo } = runner.network;
    const sha256 = await this.#models.sha256(file);
    const used = { tiles: count, tile: core, ...(count > 1 && { halo }) };
    return {
      image,
      info: { model: basename(file), sha256, architecture, device: runner.device, ...used },
      fallbacks: runner.fallbacks,
      warnings: [...tilesWarning(runner, { count, core }), ...runner.warnings],
    };
  }

  /** Loads the network and says how the picture is cut: anew for the memory of another device, where the first cannot be had. */
  async #load(source: RowSource, runner: NetworkRunner, context: StepContext): Promise<Plan> {
    const isCutByMemory = (context.options.tile ?? this.#config.tile) === 'auto';
    const memory = isCutByMemory ? await deviceMemory(this.#config, context.devices) : undefined;
    for (;;) {
      const { device } = runner;
      const plan = this.#plan(source, runner, { ...context, workingBytes: memory?.(device) });
      context.onRunning({ device, tile: plan.core, side: Math.max(source.width, source.height) });
      await runner.load(plan.padded, { tiles: plan.tiles, isOpaque: false });
      if (runner.device === device) return plan;
    }
  }

  #plan(
    source: RowSource,
    runner: NetworkRunner,
    { options, maxTile, workingBytes }: StepContext & { readonly workingBytes: number | undefined },
  ): Plan {
    const network = networkOn(runner.network, runner.device);
    const { multipleOf, halo } = network;
    const needed = network.padding === 'own' ? 1 : multipleOf;
    const missing = (side: number) => (needed - (side % needed)) % needed;
    const pad = network.padding === 'zeros' ? padZeros : padReflect;
    const padded = pad(withoutAlpha(source), missing(source.width), missing(source.height));
    const asked = options.tile ?? this.#config.tile;
    const wanted = asked === 'auto' ? autoCore(network, padded, workingBytes) : asked;
    const core = maxTile === undefined || (wanted !== 0 && wanted <= maxTile) ? wanted : maxTile;
    const cut = { tile: core, tilePad: 'auto', prePad: 0, isOpaque: true } as const;
    assertWithin(this.#config, workOf(network, padded, cut)); // before there is a list of them
    const { width, height } = padded;
    const tiles =
      asked === 'auto' && core === wanted
        ? sparseTiles(width, height, { pixels: autoWindow(network, workingBytes), halo, multipleOf })
        : evenTiles(width, height, { core, halo, multipleOf });
    const count = tiles.reduce((sum, row) => sum + row.length, 0);
    return { padded, tiles, count, core: count === 1 ? 0 : core };
  }
}

function openRunner(file: string, { devices, isBatch }: StepContext): NetworkRunner {
  const network = openNetwork(file);
  const { role, scale, inputChannels, outputChannels } = network;
  if (role !== undefined || scale !== 1 || inputChannels !== outputChannels) {
    const channels = `network from ${inputChannels} to ${outputChannels} channels`;
    const what = role ?? (scale === 1 ? channels : `network of scale ${scale}`);
    throw new UnknownNetworkError(
      `${network.weights.fileName}: expected a network that restores pictures at their size, the file holds ${network.architecture}, a ${what}`,
    );
  }
  assertTakesPictures(network);
  const open = checkpointSessions(network, { weightsFolder: weightsFolderOf(file), precisionFor: () => FP32 });
  return new NetworkRunner(network, { open, devices, isBatch });
}

function tilesWarning({ network }: NetworkRunner, { count, core }: Pick<Plan, 'count' | 'core'>): string[] {
  if (count === 1 || network.tiling !== 'whole-image-preferred') return [];
  return [
    `${network.architecture} weighs its channels by a mean over the picture; this one ran in ${count} overlapping tiles of ${core} px, each with a mean of its own, and so differs from a run over the whole (tile=0), which takes more memory`,
  ];
}
