import type { Views } from '../../architectures/mirrored-views.ts';
import type { NetworkChannels } from '../../architectures/picture-channels.ts';
import { imagesSeen } from '../../architectures/picture-channels.ts';
import type { Config } from '../../config.ts';
import type { ImageShape, Samples } from '../../imaging/image.ts';
import type { Rectangle } from '../../imaging/rectangle.ts';
import type { UpscaleOptions } from '../../options/upscale-options.ts';
import type { PictureNetwork } from '../networks/network-runner.ts';
import { autoTile } from '../networks/tile-size.ts';

/** How an image is cut. Pixels of the input; `auto` leaves it to the network. */
export interface TilingOptions {
  readonly tile: number | 'auto';
  readonly tilePad: number | 'auto';
  readonly prePad: number;
  /** Alpha that is full everywhere stays so, unless the reference's grid is asked for. */
  readonly isOpaque: boolean;
  /** The colour that a picture with alpha shows everywhere, and that it keeps, unless the reference's grid is asked for. */
  readonly onlyColor?: Samples | undefined;
  /** Upper bound of the core where an earlier worker ran out of memory. */
  readonly maxTile?: number | undefined;
  /** What the activations of an `auto` tile may take, where the device's memory is known. */
  readonly workingBytes?: number | undefined;
  /** Mirrored views of each tile that its result is the mean of; by default one. */
  readonly views?: Views;
  /** What of the source a result is wanted for; by default all of it. Tiles of the grid that have none of it are not run. */
  readonly needed?: Rectangle | undefined;
}

/** What of a network its tiles depend on. */
export type TiledNetwork = NetworkChannels &
  Pick<PictureNetwork, 'halo' | 'largestWindow' | 'multipleOf' | 'padding' | 'scale' | 'workingBytesPerPixel'>;

/** The size of the padded image, and how it is cut. Pixels of the input. */
export interface TileGrid {
  readonly width: number;
  readonly height: number;
  /** Side of a tile's core; 0 is the whole image. */
  readonly core: number;
  /** What a tile sees around its core. */
  readonly pad: number;
  /** Whether the grid is RealESRGANer's. */
  readonly isReference: boolean;
}

/** How a caller wants images cut, or where it does not say, the service. */
export function tilingOf(
  { tile, tile_pad: tilePad, pre_pad: prePad }: Pick<UpscaleOptions, 'tile' | 'tile_pad' | 'pre_pad'>,
  config: Pick<Config, 'tile' | 'tilePad'>,
): Pick<TilingOptions, 'tile' | 'tilePad' | 'prePad'> {
  return { tile: tile ?? config.tile, tilePad: tilePad ?? config.tilePad, prePad };
}

/** Pixels of all images that a network sees of a picture, in one view. */
export function pixelsSeen(network: NetworkChannels, source: ImageShape, { isOpaque }: TilingOptions): number {
  return source.width * source.height * imagesSeen(network, { channels: source.channels, isOpaque });
}

/** With explicit numbers the reference's padding and grid; else tiles that cannot be seen. */
export function tileGrid(network: TiledNetwork, source: ImageShape, options: TilingOptions): TileGrid {
  const { halo, largestWindow = Infinity, multipleOf, padding, scale } = network;
  const { prePad, tilePad } = options;
  const isReference = tilePad !== 'auto';
  const needed = padding === 'own' ? 1 : multipleOf;
  const multiple = isReference ? Math.max(needed, referenceMultiple(scale)) : needed;
  const padded = (side: number): number => Math.ceil((side + prePad) / multiple) * multiple;
  // The reference cannot cut where the network cannot begin; the next place where it can is as good.
  const toMultiple = (pixels: number) => Math.ceil(pixels / multipleOf) * multipleOf;
  // At least half of a window is its core, however much a caller wants to be seen around it.
  const pad = Math.min(isReference ? toMultiple(tilePad) : halo, Math.floor(largestWindow / 4));
  const core = boundedCore(coreOf(network, source, options), largestWindow - 2 * pad);
  return {
    width: padded(source.width),
    height: padded(source.height),
    core: isReference ? toMultiple(core) : core,
    pad,
    isReference,
  };
}

/** A core of 0 is the whole image, which may be larger. */
function boundedCore(core: number, most: number): number {
  return Number.isFinite(most) ? Math.min(core === 0 ? most : core, most) : core;
}

function coreOf(network: TiledNetwork, source: ImageShape, options: TilingOptions): number {
  const { tile, maxTile, isOpaque, views = 1, workingBytes } = options;
  const images = views * imagesSeen(network, { channels: source.channels, isOpaque });
  const wanted = tile === 'auto' ? autoTile(network, images, workingBytes) : tile;
  if (maxTile === undefined) return wanted;
  return wanted === 0 ? maxTile : Math.min(wanted, maxTile);
}

/** RealESRGANer pads sides to this by the scale alone, after `pre_pad`, whether the network needs it or not. */
function referenceMultiple(scale: number): number {
  if (scale === 2) return 2;
  return scale === 1 ? 4 : 1;
}
