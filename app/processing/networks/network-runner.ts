import type { Network } from '../../architectures/architecture.ts';
import type { Views } from '../../architectures/mirrored-views.ts';
import { imagesSeen } from '../../architectures/picture-channels.ts';
import type { BitDepth, Channels, ImageShape, Samples } from '../../imaging/image.ts';
import { allocateSamples } from '../../imaging/image.ts';
import type { RowSink, RowSource } from '../../imaging/rows.ts';
import type { Rectangle } from '../../imaging/rectangle.ts';
import { overlap } from '../../imaging/rectangle.ts';
import type { MadeTile } from '../../imaging/sketch-file.ts';
import type { Tile, TileRows } from '../../imaging/tiling.ts';
import { commonWindow } from '../../imaging/tiling.ts';
import type { SessionDevice } from '../../inference/devices.ts';
import type { Session } from '../../inference/session.ts';
import { damagedAnswer } from './damaged-answer.ts';
import { openOnFirst } from './open-on-first.ts';
import { SessionShelf } from './session-shelf.ts';
import { WORKING_BYTES } from './tile-size.ts';
import type { Fallback } from '../result.ts';

/** A network that maps pictures to pictures, however it came here. */
export interface PictureNetwork extends Omit<Network, 'build' | 'parameters'> {
  readonly architecture: string;
  /** The side of the largest window that it takes; missing where it takes any. */
  readonly largestWindow?: number | undefined;
}

/** A session of pixels: `pixels` [H, W, C] in; `pixels_out` and `has_nan` out. */
export interface PixelSession extends Pick<Session, 'device' | 'run' | 'release'> {
  /** What is to be known of how it ran. */
  readonly warning?: string | undefined;
}

/** What a session was made for; another image needs another session. */
export interface SessionKey {
  readonly channels: Channels;
  readonly depth: BitDepth;
  /** Null: any size. */
  readonly width: number | null;
  readonly height: number | null;
  readonly isOpaque: boolean;
  readonly views: Views;
  /** In fp32, since fp16 was found to be too narrow. */
  readonly isWidened: boolean;
}

/** How an image is to be run. */
export interface RunPlan {
  readonly tiles: TileRows;
  /** Its alpha is full everywhere, and stays so. */
  readonly isOpaque: boolean;
  /** Mirrored views of each tile that its result is the mean of; by default one. */
  readonly views?: Views;
  /** In pixels of the source: tiles whose core has none of it are not run, and what they would have made is black. */
  readonly needed?: Rectangle | undefined;
  /** In fp32, whatever was asked. */
  readonly isWidened?: boolean;
}

export interface RunnerOptions {
  /** Opens a session of the network. @throws DeviceUnavailableError, InferenceError */
  readonly open: (key: SessionKey, device: SessionDevice) => Promise<PixelSession>;
  /** Devices to try, best first. */
  readonly devices: readonly SessionDevice[];
  /** Whether images of other sizes will follow: then sizes stay open in the graph, which loads slower but only once. */
  readonly isBatch: boolean;
}

/**
 * Sessions that a network of fixed sides may keep: the reference's grid has up to four widths in a row of tiles, and each row
 * takes them in turn. Any other network has one.
 */
const MAX_SESSIONS = 4;

/** Told of each tile that is finished: how many are, and which it was. */
export type TileListener = (done: number, made: MadeTile) => void;

const NO_ROWS = new Uint8Array(0);

/** A network on a device: opens sessions for the kinds of pixels that come and runs tiles through them. */
export class NetworkRunner {
  readonly network: PictureNetwork;
  readonly #options: RunnerOptions;
  readonly #fallbacks: Fallback[] = [];
  readonly #warnings = new Set<string>();
  #devices: readonly SessionDevice[];
  readonly #sessions: SessionShelf<PixelSession>;

  constructor(network: PictureNetwork, options: RunnerOptions) {
    this.network = network;
    this.#options = options;
    this.#devices = options.devices;
    this.#sessions = new SessionShelf({ bytes: WORKING_BYTES, count: network.sides === 'fixed' ? MAX_SESSIONS : 1 });
  }

  /** The device in use; before the first session, the one that is tried first. */
  get device(): SessionDevice {
    return this.#devices[0] ?? 'cpu';
  }

  /** Every device that could not be had, and why. */
  get fallbacks(): readonly Fallback[] {
    return this.#fallbacks;
  }

  /** What is to be known of how it ran. */
  get warnings(): readonly string[] {
    return [...this.#warnings];
  }

  /** Loads the session that an image of `shape` needs, unless it is loaded. */
  async load(shape: ImageShape, plan: RunPlan): Promise<void> {
    const [first] = plan.tiles.flat();
    if (first) await this.#session(first.window, shape, plan);
  }

  /**
   * Runs the tiles of `source` through the network, a row of tiles at a time, and appends the finished rows to `sink`
   * (of `resultChannels`; it may be smaller than the result: what lies beyond it is cut off, as padding is).
   * @param onTile called with how many tiles are finished, and the last of them
   */
  async run(source: RowSource, sink: RowSink, plan: RunPlan, onTile: TileListener): Promise<void> {
    const { scale } = this.network;
    let done = 0;
    for (const row of plan.tiles) {
      const [first] = row;
      if (!first) continue;
      const wanted = row.filter(({ core }) => isNeeded(core, plan));
      const rows = wanted.length > 0 ? source.readRows(first.window.y, first.window.height).slice() : NO_ROWS;
      const top = first.core.y * scale;
      const height = Math.min(first.core.height * scale, sink.height - top);
      if (height <= 0) break;
      const band = allocateSamples(sink.depth, height * sink.width * sink.channels);
      for (const tile of wanted) {
        const pixels = cutColumns(rows, source, tile);
        const session = await this.#session(tile.window, source, plan);
        const output = await this.#runTile(session, pixels, tile, source);
        const made = { picture: sink, region: madeOf(tile.core, scale, sink), rows: band };
        pasteCore(output, tile, scale, made);
        onTile(++done, made);
      }
      sink.writeRows(band);
    }
  }

  async close(): Promise<void> {
    await this.#sessions.clear();
  }

  /** The session for a window of the plan's tiles: one for all of them, unless the network has to know the window's sides. */
  async #session(window: Rectangle, { channels, depth }: ImageShape, plan: RunPlan): Promise<PixelSession> {
    const { isOpaque, views = 1, isWidened = false } = plan;
    const known =
      this.network.sides === 'fixed' ? window : this.#options.isBatch ? undefined : commonWindow(plan.tiles);
    const { width = null, height = null } = known ?? {};
    const key: SessionKey = { channels, depth, width, height, isOpaque, views, isWidened };
    const images = views * imagesSeen(this.network, { channels, isOpaque });
    const bytes = this.network.workingBytesPerPixel * window.width * window.height * images;
    return this.#sessions.hold(JSON.stringify(key), bytes, () => this.#openSession(key));
  }

  /** Devices that cannot be had are not tried again. */
  async #openSession(key: SessionKey): Promise<PixelSession> {
    const opened = await openOnFirst(this.#devices, (device) => this.#options.open(key, device));
    this.#fallbacks.push(...opened.fallbacks);
    this.#devices = opened.devices;
    return opened.session;
  }

  async #runTile(session: PixelSession, pixels: Samples, { window, core }: Tile, shape: ImageShape): Promise<Samples> {
    const type = shape.depth === 16 ? 'uint16' : 'uint8';
    const dims = [window.height, window.width, shape.channels];
    const outputs = await session.run({ pixels: { type, data: pixels, dims } });
    if (session.warning !== undefined) this.#warnings.add(session.warning);
    if (outputs['has_nan']?.data[0] !== 0) {
      const { architecture } = this.network;
      throw damagedAnswer({ architecture, device: session.device, at: core });
    }
    return outputs['pixels_out']?.data as Samples;
  }
}

/** Whether a tile has to be run. */
export function isNeeded(core: Rectangle, { needed }: Pick<RunPlan, 'needed'>): boolean {
  return needed === undefined || overlap(core, needed);
}

/** The columns of a tile's window out of whole rows. */
function cutColumns(rows: Samples, source: ImageShape, { window }: Tile): Samples {
  const { width, channels } = source;
  if (window.width === width) return rows;
  const pixels = allocateSamples(source.depth, window.width * window.height * channels);
  for (let y = 0; y < window.height; y++) {
    const from = (y * width + window.x) * channels;
    pixels.set(rows.subarray(from, from + window.width * channels), y * window.width * channels);
  }
  return pixels;
}

/** Where a tile's core lies in the result; what is beyond the result is padding. */
function madeOf(core: Rectangle, scale: number, { width, height }: ImageShape): Rectangle {
  const [x, y] = [core.x * scale, core.y * scale];
  return {
    x,
    y,
    width: Math.max(0, Math.min(core.width * scale, width - x)),
    height: Math.min(core.height * scale, height - y),
  };
}

/** Writes the core of a tile's result where it belongs in the band of finished rows. */
function pasteCore(output: Samples, { core, window }: Tile, scale: number, { picture, region, rows }: MadeTile): void {
  const { channels } = picture;
  const skipX = (core.x - window.x) * scale;
  const skipY = (core.y - window.y) * scale;
  const stride = window.width * scale * channels;
  for (let y = 0; y < region.height && region.width > 0; y++) {
    const from = (skipY + y) * stride + skipX * channels;
    rows.set(output.subarray(from, from + region.width * channels), (y * picture.width + region.x) * channels);
  }
}
