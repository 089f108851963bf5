import type { ImageShape } from '../../imaging/image.ts';
import { imagesSeen } from '../../architectures/picture-channels.ts';
import { WorkTooLargeError } from '../errors.ts';
import type { TiledNetwork, TileGrid, TilingOptions } from './tile-grid.ts';
import { tileGrid } from './tile-grid.ts';

/** What is done to an image, counted before it is begun. */
export interface Work {
  /** Of the whole grid, by views: each is at most one run of the network. */
  readonly tiles: number;
  /** The image with its padding; of several passes the largest. */
  readonly paddedPixels: number;
  /** Pixels that it is shown in all of them: cores with their halo, in the padded image, alpha as an image of its own. */
  readonly readPixels: number;
  /** Pixels of everything that is written on the way, and of the result. */
  readonly writtenPixels: number;
}

/** Of the largest input and result together. The largest that anyone asks for without options to make it worse takes half of it. */
const LARGEST_SHARE = 8;
/** Each takes some milliseconds, however small. */
const MAX_TILES = 2 ** 17;

/** The work of one pass of a network. Exact, and as quick for a grid of a thousand million tiles as for one. */
export function workOf(network: TiledNetwork, source: ImageShape, options: TilingOptions): Work {
  const grid = tileGrid(network, source, options);
  const spans = grid.isReference ? referenceSpans : evenSpans;
  const all = spans({ size: grid.height, needed: grid.height }, grid, network);
  const across = spans({ size: grid.width, needed: grid.width }, grid, network);
  const down = spans({ size: grid.height, needed: source.height }, grid, network); // rows of nothing but padding are left out
  const { views = 1 } = options;
  const isOpaque = options.isOpaque && !grid.isReference;
  const images = imagesSeen(network, { channels: source.channels, isOpaque });
  return {
    tiles: across.count * all.count * views,
    paddedPixels: grid.width * grid.height,
    readPixels: across.seen * down.seen * views * images,
    writtenPixels: source.width * source.height * network.scale ** 2,
  };
}

/** The work of several passes together: tiles and pixels are added up, the padded image is the largest of them. */
export function sumOf(works: readonly Work[]): Work {
  const sum = (of: (work: Work) => number): number => works.reduce((total, work) => total + of(work), 0);
  return {
    tiles: sum(({ tiles }) => tiles),
    paddedPixels: Math.max(0, ...works.map(({ paddedPixels }) => paddedPixels)),
    readPixels: sum(({ readPixels }) => readPixels),
    writtenPixels: sum(({ writtenPixels }) => writtenPixels),
  };
}

/** @throws WorkTooLargeError that says the bound, where the work is beyond what the service's limits stand for */
export function assertWithin(
  limits: { readonly maxInputPixels: number; readonly maxOutputPixels: number },
  { tiles, paddedPixels, readPixels, writtenPixels }: Work,
): void {
  const maxPixels = LARGEST_SHARE * (limits.maxInputPixels + limits.maxOutputPixels);
  const way = 'ask for a smaller size, pre_pad, tile_pad or tta, or for larger tiles';
  if (readPixels + writtenPixels > maxPixels) {
    const pixels = readPixels + writtenPixels;
    throw new WorkTooLargeError(
      `this would read and write ${pixels} pixels, at most ${maxPixels} are allowed (${LARGEST_SHARE} times MAX_INPUT_PIXELS and MAX_OUTPUT_PIXELS); ${way}`,
    );
  }
  if (paddedPixels > limits.maxInputPixels + limits.maxOutputPixels) {
    throw new WorkTooLargeError(
      `with its padding the image would have ${paddedPixels} pixels, at most ${limits.maxInputPixels + limits.maxOutputPixels} are allowed (MAX_INPUT_PIXELS and MAX_OUTPUT_PIXELS); ${way}`,
    );
  }
  if (tiles > MAX_TILES) {
    throw new WorkTooLargeError(`this would take ${tiles} tiles, at most ${MAX_TILES} are allowed; ${way}`);
  }
}

/** A side of the padded image, and how much of it there are tiles for. */
interface Side {
  readonly size: number;
  readonly needed: number;
}

/** Tiles along one side, and the sum of what they see of it. */
interface Spans {
  readonly count: number;
  readonly seen: number;
}

/** As `evenTiles` cuts. */
function evenSpans({ size, needed }: Side, { core, pad }: TileGrid, { multipleOf }: TiledNetwork): Spans {
  const toMultiple = (pixels: number) => Math.ceil(pixels / multipleOf) * multipleOf;
  const wanted = core === 0 ? 1 : Math.ceil(size / Math.max(core, multipleOf));
  const length = toMultiple(size / wanted);
  const count = Math.ceil(needed / length);
  return { count, seen: count * Math.min(size, length + 2 * toMultiple(pad) + (size % multipleOf)) };
}

/** As `referenceTiles` cuts: the sum of `min(end + pad, size) - max(start - pad, 0)` over all tiles. */
function referenceSpans({ size, needed }: Side, { core, pad }: TileGrid): Spans {
  const step = core === 0 ? size : core;
  const count = Math.ceil(needed / step);
  const within = Math.min(count, Math.max(0, Math.floor((size - step - pad) / step) + 1)); // whose end lies within
  const ends = (step * within * (within - 1)) / 2 + within * (step + pad) + (count - within) * size;
  const first = Math.min(count, Math.floor(pad / step) + 1); // the first whose start is not at the edge
  const starts = (step * (count * (count - 1) - first * (first - 1))) / 2 - (count - first) * pad;
  return { count, seen: ends - starts };
}
