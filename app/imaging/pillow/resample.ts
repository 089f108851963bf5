import type { Image, ImageShape, Samples } from '../image.ts';
import { allocateSamples, hasAlpha, rowLength } from '../image.ts';
import { premultiply, unpremultiply } from './premultiply.ts';
import { EnlargingPass } from './resample-enlarging.ts';
import { horizontalPass } from './resample-horizontal.ts';
import { resampleNearest } from './resample-nearest.ts';
import { ReducingPass } from './resample-reducing.ts';
import type { WindowedFilter, Filter } from './resample-windows.ts';
import { resampleWindows } from './resample-windows.ts';
import type { PushRows } from '../row-batch.ts';
import { batchRows } from '../row-batch.ts';
import type { RowSink, RowSource } from '../rows.ts';
import { copyRows, rowsOf } from '../rows.ts';

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
  const feed = passes(source, sink, filter, writer(sink, onRows));
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

/**
 * One pass or two. Horizontal first, but vertical first where the height shrinks by more pixels than twice what the width
 * does: the order shows in the rounding between the passes (Pillow 13, `ImagingResampleInner`).
 */
function passes(source: ImageShape, target: ImageShape, filter: WindowedFilter, push: PushRows): PushRows {
  const across = source.width === target.width ? undefined : resampleWindows(source.width, target.width, filter);
  const down = source.height === target.height ? undefined : resampleWindows(source.height, target.height, filter);
  const shrink = source.height - target.height;
  const isVerticalFirst = shrink > 0 && shrink > 2 * (source.width - target.width);
  const horizontal = (next: PushRows): PushRows => (across ? horizontalPass(source, across, next) : next);
  const vertical = (next: PushRows, width: number): PushRows => {
    if (!down) return next;
    const Pass = shrink > 0 ? ReducingPass : EnlargingPass;
    const pass = new Pass(down, width * source.channels, source.depth, next);
    return (rows) => pass.push(rows);
  };
  return isVerticalFirst ? vertical(horizontal(push), source.width) : horizontal(vertical(push, target.width));
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
