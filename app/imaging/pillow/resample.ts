import type { Image, ImageShape, Samples } from '../image.ts';
import { allocateSamples, hasAlpha, rowLength } from '../image.ts';
import { premultiply, unpremultiply } from './premultiply.ts';
import { EnlargingPass } from './resample-enlarging.ts';
import { horizontalPass } from './resample-horizontal.ts';
import { resampleNearest } from './resample-nearest.ts';
import { ReducingPass } from './resample-reducing.ts';
import type { WindowedFilter, Filter } from './resample-windows.ts';
import type { Windows } from './resample-windows.ts';
import { cutWindows, resampleWindows } from './resample-windows.ts';
import type { PushRows } from '../row-batch.ts';
import { batchRows } from '../row-batch.ts';
import type { RowSink, RowSource } from '../rows.ts';
import { copyRows, croppedRows, rowsOf } from '../rows.ts';
import type { Rectangle } from '../rectangle.ts';

export type { Filter } from './resample-windows.ts';

export interface ResampleOptions {
  /** Called now and then with 0..1, and at the end with 1. */
  readonly onProgress?: (fraction: number) => void;
}

/**
 * Resizes `source` to the sink's size, equal to Pillow 13's `Image.resize` bit for bit for 8-bit images (modes L, LA, RGB,
 * RGBA) and 16-bit gray (I;16); 16 bits with more channels do per channel what I;16 does. Alpha is premultiplied for all
 * filters but NEAREST, as Pillow does. Works by strips: memory depends on the widths and the ratio, not on the heights.
 *
 * @throws RangeError if the sink's channels or depth are not the source's, or a side is not positive
 */
export function resample(source: RowSource, sink: RowSink, filter: Filter, options: ResampleOptions = {}): void {
  assertResizable(source, sink);
  const onRows = (y: number): void => options.onProgress?.(y / sink.height);
  if (source.width === sink.width && source.height === sink.height) copyRows(source, sink, onRows);
  else if (filter === 'NEAREST') resampleNearest(source, sink, onRows);
  else resampleWindowed(source, sink, filter, onRows);
}

/** Which part of a whole result is wanted. */
export interface ResultRegion {
  /** The size that the whole source would be resized to. */
  readonly whole: { readonly width: number; readonly height: number };
  readonly region: Rectangle;
}

/**
 * A region of what `resample` would make of `source` at the size `whole`, bit for bit, for the price of the region alone. The sink has the
 * region's size.
 */
export function resampleRegion(
  source: RowSource,
  sink: RowSink,
  filter: Filter,
  { whole, region }: ResultRegion,
): void {
  assertResizable(source, sink);
  if (source.width === whole.width && source.height === whole.height) {
    copyRows(croppedRows(source, region), sink);
    return;
  }
  if (filter === 'NEAREST') {
    resampleNearest(source, sink, () => undefined, { whole, region });
    return;
  }
  const target = { ...whole, channels: source.channels, depth: source.depth };
  const [across, down] = windowsOf(source, target, filter);
  const columns = cutWindows(across, source.width, region.x, region.width);
  const lines = cutWindows(down, source.height, region.y, region.height);
  const seen = { x: columns.from, y: lines.from, width: columns.size, height: lines.size };
  const cut = { across: columns.windows, down: lines.windows, isVerticalFirst: isVerticalFirst(source, target) };
  const isShrinking = source.height > whole.height;
  runPasses(croppedRows(source, seen), sink, { ...cut, isShrinking }, () => undefined);
}

/** What of `source` a region of its resized whole is made of, for any filter. */
export function sourceRegion(
  source: Pick<ImageShape, 'width' | 'height'>,
  { whole, region }: ResultRegion,
  filter: Filter,
): Rectangle {
  const kind = filter === 'NEAREST' ? 'LANCZOS' : filter; // which sees more than NEAREST picks
  const [across, down] = windowsOf(source, whole, kind);
  const columns = cutWindows(across, source.width, region.x, region.width);
  const lines = cutWindows(down, source.height, region.y, region.height);
  return { x: columns.from, y: lines.from, width: columns.size, height: lines.size };
}

/** `resample` for images in memory. `width` and `height` are in pixels. */
export function resampleImage(image: Image, width: number, height: number, filter: Filter): Image {
  const { channels, depth } = image;
  const shape: ImageShape = { width, height, channels, depth };
  assertResizable(image, shape);
  const data = allocateSamples(depth, rowLength(shape) * height);
  let filled = 0;
  const writeRows = (rows: Samples): void => {
    data.set(rows, filled);
    filled += rows.length;
  };
  resample(rowsOf(image), { ...shape, writeRows }, filter);
  return { ...shape, data };
}

function resampleWindowed(source: RowSource, sink: RowSink, filter: WindowedFilter, onRows: (y: number) => void): void {
  const [across, down] = windowsOf(source, sink, filter);
  const isShrinking = source.height > sink.height;
  runPasses(source, sink, { across, down, isShrinking, isVerticalFirst: isVerticalFirst(source, sink) }, onRows);
}

/** The passes of one resize; a side that stays as it is has none. */
interface Passes {
  readonly across: Windows | undefined;
  readonly down: Windows | undefined;
  readonly isShrinking: boolean;
  readonly isVerticalFirst: boolean;
}

function runPasses(source: RowSource, sink: RowSink, how: Passes, onRows: (y: number) => void): void {
  const feed = passes(source, sink, how, writer(sink, onRows));
  const length = rowLength(source);
  const stripRows = batchRows(Math.max(length, rowLength(sink)));
  const premultiplied = allocateSamples(source.depth, hasAlpha(source.channels) ? stripRows * length : 0);
  for (let y = 0; y < source.height; y += stripRows) {
    const rows = source.readRows(y, Math.min(stripRows, source.height - y));
    if (premultiplied.length === 0) {
      feed(rows);
    } else {
      premultiply(rows, premultiplied, source);
      feed(premultiplied.subarray(0, rows.length));
    }
  }
}

type Sides = Pick<ImageShape, 'width' | 'height'>;

/** Of the width and of the height; none for a side that stays. */
function windowsOf(source: Sides, target: Sides, filter: WindowedFilter): [Windows | undefined, Windows | undefined] {
  return [
    source.width === target.width ? undefined : resampleWindows(source.width, target.width, filter),
    source.height === target.height ? undefined : resampleWindows(source.height, target.height, filter),
  ];
}

/**
 * Horizontal first, but vertical first where the height shrinks by more pixels than twice what the width does: the order shows in
 * the rounding between the passes (Pillow 13, `ImagingResampleInner`).
 */
function isVerticalFirst(source: Sides, target: Sides): boolean {
  const shrink = source.height - target.height;
  return shrink > 0 && shrink > 2 * (source.width - target.width);
}

/** One pass or two. */
function passes(source: ImageShape, target: ImageShape, how: Passes, push: PushRows): PushRows {
  const { across, down } = how;
  const horizontal = (next: PushRows): PushRows => (across ? horizontalPass(source, across, next) : next);
  const vertical = (next: PushRows, width: number): PushRows => {
    if (!down) return next;
    const Pass = how.isShrinking ? ReducingPass : EnlargingPass;
    const pass = new Pass(down, width * source.channels, source.depth, next);
    return (rows) => pass.push(rows);
  };
  return how.isVerticalFirst ? vertical(horizontal(push), source.width) : horizontal(vertical(push, target.width));
}

function writer(sink: RowSink, onRows: (y: number) => void): PushRows {
  const length = rowLength(sink);
  let y = 0;
  return (rows) => {
    if (hasAlpha(sink.channels)) unpremultiply(rows, sink);
    sink.writeRows(rows);
    y += rows.length / length;
    onRows(y);
  };
}

function assertResizable(source: ImageShape, target: ImageShape): void {
  const isSameKind = source.channels === target.channels && source.depth === target.depth;
  const isSized = [source.width, source.height, target.width, target.height].every(
    (side) => Number.isInteger(side) && side > 0,
  );
  if (isSameKind && isSized) return;
  throw new RangeError(
    `Cannot resample ${describe(source)} to ${describe(target)}: sides are whole and at least 1, channels and depth stay`,
  );
}

function describe({ width, height, channels, depth }: ImageShape): string {
  return `${width}x${height} with ${channels} channels of ${depth} bits`;
}
