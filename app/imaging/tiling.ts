import { allocateSamples } from './image.ts';
import type { Rectangle } from './rectangle.ts';
import { reflect101 } from './reflect.ts';
import type { RowSource } from './rows.ts';

/** A piece of work: the network sees `window`, and `core` of its result is kept. Both in input pixels. */
export interface Tile {
  readonly core: Rectangle;
  readonly window: Rectangle;
}

/** Tiles by rows: those of one row share their vertical extent, and rows follow one another from the top. */
export type TileRows = readonly (readonly Tile[])[];

/** One side of a tile: where its core and its window begin, and how long they are. */
interface Span {
  readonly start: number;
  readonly length: number;
  readonly windowStart: number;
  readonly windowLength: number;
}

export interface EvenTiling {
  /** Largest core side wanted; 0 for the whole image. */
  readonly core: number;
  /** Pixels that the network must see around a core. */
  readonly halo: number;
  /** Windows begin at a multiple of this, and are as long as one where the image is. */
  readonly multipleOf: number;
}

/**
 * Tiles that cannot be seen: cores of equal size (no sliver at the end), windows of one size for the whole image, at the
 * image's edge moved inwards, so that the network sees no edge but the image's own.
 */
export function evenTiles(width: number, height: number, tiling: EvenTiling): TileRows {
  return grid(evenSpans(width, tiling), evenSpans(height, tiling));
}

export interface SparseTiling extends Omit<EvenTiling, 'core'> {
  /** Most pixels of a window, where cores need not become smaller than SMALLEST_STEP for it. */
  readonly pixels: number;
}

/**
 * Tiles with as few pixels seen twice as windows of one size allow: these overlap by their halos alone, need not be squares, and cores reach to the
 * image's edges, so that those at an edge are larger than the others.
 */
export function sparseTiles(width: number, height: number, { pixels, ...overlap }: SparseTiling): TileRows {
  const [columns, rows] = [overlappingSpans(width, overlap), overlappingSpans(height, overlap)];
  const smallest = { across: columns.at(-1) ?? [], down: rows.at(-1) ?? [], seen: Infinity };
  const best = columns.reduce((found, across) => {
    const down = rows.find((spans) => windowLengthOf(across) * windowLengthOf(spans) <= pixels);
    const seen = down ? windowLengthOf(across) * across.length * windowLengthOf(down) * down.length : Infinity;
    return down && seen < found.seen ? { across, down, seen } : found;
  }, smallest);
  return grid(best.across, best.down);
}

/** Windows are not made smaller than one of such a core in the middle of an image. */
const SMALLEST_STEP = 64;

/**
 * The grid of RealESRGANer (realesrgan/utils.py): steps of `tile` pixels, the last tile is the rest, windows grow by `pad`
 * and are cut at the image's edge. `tile` 0 is the whole image.
 */
export function referenceTiles(width: number, height: number, tile: number, pad: number): TileRows {
  return grid(referenceSpans(width, tile, pad), referenceSpans(height, tile, pad));
}

/** The one window size of all tiles, or undefined where they differ. */
export function commonWindow(rows: TileRows): { width: number; height: number } | undefined {
  const first = rows[0]?.[0]?.window;
  const isSame = ({ window }: Tile) => window.width === first?.width && window.height === first.height;
  return first && rows.every((row) => row.every(isSame)) ? { width: first.width, height: first.height } : undefined;
}

function evenSpans(size: number, { core, halo, multipleOf }: EvenTiling): Span[] {
  const toMultiple = (pixels: number) => Math.ceil(pixels / multipleOf) * multipleOf;
  const count = core === 0 ? 1 : Math.ceil(size / Math.max(core, multipleOf));
  const length = toMultiple(size / count);
  // What the image has beyond a multiple every window has, so that the last one begins at a multiple as well.
  const windowLength = Math.min(size, length + 2 * toMultiple(halo) + (size % multipleOf));
  const starts = Array.from({ length: Math.ceil(size / length) }, (_, index) => index * length);
  return starts.map((start) => ({
    start,
    length: Math.min(length, size - start),
    windowStart: Math.min(Math.max(0, start - toMultiple(halo)), size - windowLength),
    windowLength,
  }));
}

/** The ways to cover a side by windows that overlap by two halos: by one, by two, and so on. */
function overlappingSpans(size: number, { halo, multipleOf }: Omit<EvenTiling, 'core'>): Span[][] {
  const toMultiple = (pixels: number) => Math.ceil(pixels / multipleOf) * multipleOf;
  const seen = toMultiple(halo);
  const over = size % multipleOf; // as in evenSpans
  const ways: Span[][] = [[{ start: 0, length: size, windowStart: 0, windowLength: size }]];
  for (let count = 2; ; count++) {
    const step = toMultiple((size - over - 2 * seen) / count);
    if (step < SMALLEST_STEP) return ways;
    const places = Array.from({ length: count }, (_, index) => index * step).filter(
      (at) => at === 0 || at + seen < size,
    );
    const starts = places.map((at) => (at === 0 ? 0 : at + seen));
    const windowLength = step + 2 * seen + over;
    ways.push(
      places.map((at, index) => ({
        start: starts[index] ?? 0,
        length: (starts[index + 1] ?? size) - (starts[index] ?? 0),
        windowStart: Math.min(at, size - windowLength),
        windowLength,
      })),
    );
  }
}

function windowLengthOf([span]: readonly Span[]): number {
  return span?.windowLength ?? 0;
}

function referenceSpans(size: number, tile: number, pad: number): Span[] {
  const step = tile === 0 ? size : tile;
  return Array.from({ length: Math.ceil(size / step) }, (_, index) => {
    const start = index * step;
    const end = Math.min(start + step, size);
    const windowStart = Math.max(start - pad, 0);
    return { start, length: end - start, windowStart, windowLength: Math.min(end + pad, size) - windowStart };
  });
}

function grid(columns: readonly Span[], rows: readonly Span[]): TileRows {
  return rows.map((row) =>
    columns.map((column) => ({
      core: { x: column.start, y: row.start, width: column.length, height: row.length },
      window: {
        x: column.windowStart,
        y: row.windowStart,
        width: column.windowLength,
        height: row.windowLength,
      },
    })),
  );
}

/**
 * `source` with rows and columns added at the right and the bottom by reflection about the last pixel (as
 * `F.pad(mode='reflect')`, but for sides shorter than the padding the reflection goes to and fro).
 */
export function padReflect(source: RowSource, right: number, bottom: number): RowSource {
  if (right === 0 && bottom === 0) return source;
  const { channels, depth } = source;
  const width = source.width + right;
  const columns = Array.from({ length: right }, (_, i) => reflect101(source.width + i, source.width) * channels);
  const from = source.width * channels;
  return {
    width,
    height: source.height + bottom,
    channels,
    depth,
    readRows(y, count) {
      const rows = allocateSamples(depth, count * width * channels);
      for (let row = 0; row < count; row++) {
        const line = source.readRows(reflect101(y + row, source.height), 1);
        const at = row * width * channels;
        rows.set(line, at);
        columns.forEach((column, i) => {
          for (let c = 0; c < channels; c++) rows[at + from + i * channels + c] = line[column + c] ?? 0;
        });
      }
      return rows;
    },
  };
}

/** `source` with rows and columns of zeros added at the right and the bottom. */
export function padZeros(source: RowSource, right: number, bottom: number): RowSource {
  if (right === 0 && bottom === 0) return source;
  const { channels, depth } = source;
  const width = source.width + right;
  return {
    width,
    height: source.height + bottom,
    channels,
    depth,
    readRows(y, count) {
      const rows = allocateSamples(depth, count * width * channels);
      const there = Math.min(count, source.height - y);
      const length = source.width * channels;
      const read = there > 0 ? source.readRows(y, there) : undefined;
      for (let row = 0; row < there; row++) {
        rows.set(read?.subarray(row * length, (row + 1) * length) ?? [], row * width * channels);
      }
      return rows;
    },
  };
}
