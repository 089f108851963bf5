import type { Views } from '../../architectures/mirrored-views.ts';
import { keepsAlpha, resultChannels } from '../../architectures/picture-channels.ts';
import type { ImageShape } from '../../imaging/image.ts';
import { inOneColor } from '../../imaging/one-color.ts';
import type { RowSink, RowSource } from '../../imaging/rows.ts';
import { ScratchImage } from '../../imaging/scratch-image.ts';
import { settledAlpha } from '../../imaging/settled-alpha.ts';
import type { Rectangle } from '../../imaging/rectangle.ts';
import { hull } from '../../imaging/rectangle.ts';
import type { MadeTile } from '../../imaging/sketch-file.ts';
import { evenTiles, padReflect, padZeros, referenceTiles } from '../../imaging/tiling.ts';
import type { SessionDevice } from '../../inference/devices.ts';
import type { DeviceMemory } from '../networks/device-memory.ts';
import type { RunnerOptions, RunPlan, TileListener } from '../networks/network-runner.ts';
import { isNeeded, NetworkRunner } from '../networks/network-runner.ts';
import type { PrecisionPlan } from '../networks/precision.ts';
import { FP32, precisionOn } from '../networks/precision.ts';
import { DamagedAnswerError } from '../errors.ts';
import type { Fallback } from '../result.ts';
import type { ChoosePrecision, ModelFiles, PictureSource } from './picture-source.ts';
import { openPictureSource } from './picture-source.ts';
import type { TiledNetwork, TilingOptions } from './tile-grid.ts';
import { tileGrid } from './tile-grid.ts';

/** The grid of one pass, as it is told to the caller. */
export interface TilingUsed {
  readonly tiles: number;
  readonly tile: number;
  readonly halo: number;
  /** Mirrored views, where there was more than one. */
  readonly tta?: Views;
}

export interface OpenOptions extends Pick<RunnerOptions, 'devices' | 'isBatch'> {
  /** In what numbers the network is to run; by default fp32. */
  readonly choosePrecision?: ChoosePrecision;
  /** By which `auto` tiles are cut; by default they are as large as is safe where nobody knows. */
  readonly memory?: DeviceMemory;
}

const NO_ROWS = new Uint8Array(0);

interface Plan {
  readonly padded: RowSource;
  readonly run: RunPlan;
  readonly used: TilingUsed;
}

/**
 * Upscales with one network, the way RealESRGANer does (realesrgan/utils.py): alpha goes through the network, gray stays gray, 16 bits
 * stay 16; where it gives other channels than it takes, the result has what it gives. The network is recognised from the file's keys,
 * or is an ONNX file, and is loaded once for all images.
 */
export class RealESRGANUpscaler {
  readonly #runner: NetworkRunner;
  readonly #source: PictureSource;
  readonly #memory: DeviceMemory | undefined;
  /** An image came out of fp16 as no numbers: it and those after it run in fp32. */
  #isWidened = false;
  readonly files: ModelFiles;

  private constructor(
    runner: NetworkRunner,
    source: PictureSource,
    { files, memory }: Pick<OpenOptions, 'memory'> & { readonly files: ModelFiles },
  ) {
    this.#runner = runner;
    this.#source = source;
    this.#memory = memory;
    this.files = files;
  }

  /**
   * Reads the file and finds out what network it holds; what is costly, the session, is loaded with the first image.
   * @throws CheckpointError, UnknownNetworkError, WeightsError; InspectionError for an ONNX file
   */
  static async open(
    files: ModelFiles,
    { choosePrecision = () => FP32, memory, ...options }: OpenOptions,
  ): Promise<RealESRGANUpscaler> {
    const source = await openPictureSource(files, choosePrecision);
    return new RealESRGANUpscaler(new NetworkRunner(source.network, { ...options, open: source.open }), source, {
      files,
      ...(memory && { memory }),
    });
  }

  get architecture(): string {
    return this.#runner.network.architecture;
  }

  /** What its tiles depend on. */
  get tiling(): TiledNetwork {
    return this.#runner.network;
  }

  get scale(): number {
    return this.#runner.network.scale;
  }

  get device(): SessionDevice {
    return this.#runner.device;
  }

  /** In what numbers it runs on the device in use. */
  async precision(): Promise<PrecisionPlan> {
    return { ...(await this.#source.precisionFor(this.device)), isWidened: this.#isWidened };
  }

  /** What is to be known of how it ran. */
  get warnings(): readonly string[] {
    return this.#runner.warnings;
  }

  /** Every device that could not be had, and why. */
  get fallbacks(): readonly Fallback[] {
    return this.#runner.fallbacks;
  }

  /** Whether alpha that is 0 or full all around stays so. */
  settlesAlpha({ tilePad }: Pick<TilingOptions, 'tilePad'>): boolean {
    return tilePad === 'auto' && keepsAlpha(this.#runner.network);
  }

  /** What of an image of this shape its tiles must have seen for `needed` of it to come out as in the whole. */
  seenFor(shape: ImageShape, options: TilingOptions, needed: Rectangle): Rectangle {
    const { run } = this.#plan({ ...shape, readRows: () => NO_ROWS }, { ...options, needed });
    const windows = run.tiles.flat().flatMap(({ core, window }) => (isNeeded(core, run) ? [window] : []));
    return seenWithin(shape, hull(windows) ?? needed);
  }

  /** @throws WeightsError where weights are missing, too many or of wrong shapes, which else shows when a session is loaded */
  assertBuilds(): void {
    this.#source.assertBuilds();
  }

  /**
   * Loads what `source` needs, so that the time it takes can be told from the work. Where a device cannot be had, the picture is cut
   * anew for the memory of the one that takes its place.
   */
  async load(source: RowSource, options: TilingOptions): Promise<TilingUsed> {
    for (;;) {
      const { device } = this;
      const { padded, run, used } = this.#plan(source, options);
      await this.#runner.load(padded, run);
      if (this.device === device) return used;
    }
  }

  /**
   * One pass: `source` enlarged by the network's scale, into a scratch file in `folder`. Where fp16 produces values that are not numbers,
   * the pass is run again in fp32.
   * @param onTile called with tiles finished, tiles in all, and the tile that was finished last
   */
  async upscale(
    source: RowSource,
    folder: string,
    options: TilingOptions,
    onTile: (done: number, all: number, made?: MadeTile) => void,
  ): Promise<{ image: ScratchImage; used: TilingUsed }> {
    const plan = this.#plan(source, options);
    const { used } = plan;
    const image = ScratchImage.create(folder, this.#resultShape(source));
    onTile(0, used.tiles);
    const told: TileListener = (done, made) => onTile(done, used.tiles, made);
    try {
      await this.#runner.run(plan.padded, this.#settled(image, source, options), plan.run, told);
      return { image, used };
    } catch (error) {
      if (!(error instanceof DamagedAnswerError) || !(await this.#isInHalf())) throw error;
    }
    image.dispose();
    this.#isWidened = true;
    return this.upscale(source, folder, options, onTile);
  }

  async close(): Promise<void> {
    await this.#runner.close();
  }

  /** Where no number is asked for: with what a picture needs no network for. */
  #settled(image: ScratchImage, source: RowSource, options: TilingOptions): RowSink {
    if (!this.settlesAlpha(options)) return image;
    const { onlyColor } = options;
    const isKept = onlyColor?.length === image.channels - 1;
    return settledAlpha(isKept ? inOneColor(image, onlyColor) : image, source);
  }

  #resultShape({ width, height, channels, depth }: ImageShape): ImageShape {
    const { scale } = this;
    return {
      width: width * scale,
      height: height * scale,
      channels: resultChannels(this.#runner.network, channels),
      depth,
    };
  }

  async #isInHalf(): Promise<boolean> {
    const plan = await this.precision();
    return plan.own === undefined && precisionOn(this.device, plan) === 'fp16';
  }

  /** With explicit numbers the reference's padding and grid; else tiles that cannot be seen. */
  #plan(source: RowSource, asked: TilingOptions): Plan {
    const options = { ...asked, workingBytes: this.#memory?.(this.device) };
    const { multipleOf, padding } = this.#runner.network;
    const { width, height, core, pad, isReference } = tileGrid(this.#runner.network, source, options);
    const grown = padReflect(source, options.prePad, options.prePad);
    const pads = padding === 'zeros' ? padZeros : padReflect;
    const padded = pads(grown, width - grown.width, height - grown.height);
    const rows = isReference
      ? referenceTiles(width, height, core, pad)
      : evenTiles(width, height, { core, halo: pad, multipleOf });
    const { views = 1, needed } = options;
    const run = { tiles: rows, isOpaque: options.isOpaque && !isReference, views, needed, isWidened: this.#isWidened };
    const tiles = rows.flat().filter(({ core }) => isNeeded(core, run)).length;
    return { padded, run, used: { tiles, tile: core, halo: pad, ...(views > 1 && { tta: views }) } };
  }
}

/** What padding mirrors lies within the image. */
function seenWithin({ width, height }: ImageShape, window: Rectangle): Rectangle {
  const across = seenSide(window.x, window.x + window.width, width);
  const down = seenSide(window.y, window.y + window.height, height);
  return { x: across.start, y: down.start, width: across.end - across.start, height: down.end - down.start };
}

function seenSide(start: number, end: number, size: number): { readonly start: number; readonly end: number } {
  if (end <= size) return { start, end };
  return { start: Math.max(0, Math.min(start, 2 * size - 1 - end)), end: size };
}
