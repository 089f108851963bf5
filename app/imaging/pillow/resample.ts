import type { Image, ImageShape, Samples } from '../image.ts';
import { allocateSamples, hasAlpha, rowLength } from '../image.ts';
import { KernelMemory } from './kernel-memory.ts';
import { premultiply, unpremultiply } from './premultiply.ts';
import { EnlargingPass } from './resample-enlarging.ts';
import { HorizontalPass } from './resample-horizontal.ts';
import { resampleNearest } from './resample-nearest.ts';
import { ReducingPass } from './resample-reducing.ts';
import type { WindowedFilter, Filter } from './resample-windows.ts';
import type { Windows } from './resample-windows.ts';
import { cutWindows, resampleWindows } from './resample-windows.ts';
import type { RowStage } from './row-buffer.ts';
import { RowBuffer } from './row-buffer.ts';
import { RowWeigher } from './row-weigher.ts';
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
  const memory = new KernelMemory();
  const stripRows = batchRows(Math.max(rowLength(source), rowLength(sink)));
  const first = passes({ memory, stripRows }, source, how, new Writer(memory, sink, onRows));
  for (let y = 0; y < source.height; y += stripRows) {
    const count = Math.min(stripRows, source.height - y);
    const rows = source.readRows(y, count);
    const address = first.room(count);
    memory.samples(address, rows.length, source.depth).set(rows);
    if (hasAlpha(source.channels)) premultiply(memory, { address, bytes: rows.byteLength }, source);
  }
  first.end();
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

/** One pass or two, and the writer. */
function passes(place: Place, source: ImageShape, how: Passes, writer: Writer): RowBuffer {
  const { across, down } = how;
  const { depth, channels } = source;
  const bufferOf = (width: number, stage: RowStage, keptRows = 0): RowBuffer => {
    const rowBytes = (width * channels * depth) / 8;
    return new RowBuffer(place.memory, { rowBytes, capacity: place.stripRows + keptRows }, stage);
  };
  const horizontal = (next: RowBuffer): RowBuffer =>
    across ? bufferOf(source.width, new HorizontalPass(place.memory, source, across, next)) : next;
  const vertical = (next: RowBuffer, width: number): RowBuffer => {
    if (!down) return next;
    const weigher = new RowWeigher(place.memory, down, width * channels, depth);
    if (how.isShrinking) return bufferOf(width, new ReducingPass(down, weigher, next));
    return bufferOf(width, new EnlargingPass(down, weigher, next), EnlargingPass.keptRows(down));
  };
  const width = across?.outputSize ?? source.width;
  const last = bufferOf(width, writer);
  return how.isVerticalFirst ? vertical(horizontal(last), source.width) : horizontal(vertical(last, width));
}

/** Where passes work, and how many rows at a time go through them. */
interface Place {
  readonly memory: KernelMemory;
  readonly stripRows: number;
}

/** The end of all passes. */
class Writer implements RowStage {
  readonly #memory: KernelMemory;
  readonly #sink: RowSink;
  readonly #onRows: (y: number) => void;
  #y = 0;

  constructor(memory: KernelMemory, sink: RowSink, onRows: (y: number) => void) {
    this.#memory = memory;
    this.#sink = sink;
    this.#onRows = onRows;
  }

  take(address: number, rows: number): number {
    const samples = this.#memory.samples(address, rows * rowLength(this.#sink), this.#sink.depth);
    const { byteLength: bytes } = samples;
    if (hasAlpha(this.#sink.channels)) unpremultiply(this.#memory, { address, bytes }, this.#sink);
    this.#sink.writeRows(samples);
    this.#y += rows;
    this.#onRows(this.#y);
    return 0;
  }

  end(): void {
    // What was written is with the sink.
  }
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
