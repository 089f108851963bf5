import type { Image, ImageShape, Samples } from './image.ts';
import { allocateSamples, rowLength } from './image.ts';
import type { Rectangle } from './rectangle.ts';
import { batchRows } from './row-batch.ts';

/**
 * Rows of an image that need not be in memory as a whole: the way pixels flow between steps. An implementation is an
 * image in memory or a scratch file on disk; readers ask for as many rows as they can use.
 */
export interface RowSource extends ImageShape {
  /** Rows `y .. y + count - 1`; valid until the next call (a source may reuse its buffer). */
  readRows(y: number, count: number): Samples;
}

/** Where finished rows go, from the top to the bottom. */
export interface RowSink extends ImageShape {
  /** Appends whole rows. The sink does not keep the array. */
  writeRows(rows: Samples): void;
}

/** An image in memory as a row source; rows are views, not copies. */
export function rowsOf(image: Image): RowSource {
  const length = rowLength(image);
  const { width, height, channels, depth } = image;
  return {
    width,
    height,
    channels,
    depth,
    readRows: (y, count) => image.data.subarray(y * length, (y + count) * length),
  };
}

/** A rectangle of a source, which must lie within it. */
export function croppedRows(source: RowSource, region: Rectangle): RowSource {
  const { channels, depth } = source;
  const { x, y: top, width, height } = region;
  if (x === 0 && width === source.width) {
    return { width, height, channels, depth, readRows: (y, count) => source.readRows(top + y, count) };
  }
  const whole = rowLength(source);
  const length = width * channels;
  return {
    width,
    height,
    channels,
    depth,
    readRows(y, count) {
      const rows = source.readRows(top + y, count);
      const cut = allocateSamples(depth, count * length);
      for (let row = 0; row < count; row++) {
        const from = row * whole + x * channels;
        cut.set(rows.subarray(from, from + length), row * length);
      }
      return cut;
    },
  };
}

/**
 * Appends all rows of a source to a sink of the same shape, in batches.
 * @param onRows told how many rows are copied
 */
export function copyRows(source: RowSource, sink: RowSink, onRows?: (rows: number) => void): void {
  const batch = batchRows(rowLength(source));
  for (let y = 0; y < source.height; y += batch) {
    const count = Math.min(batch, source.height - y);
    sink.writeRows(source.readRows(y, count));
    onRows?.(y + count);
  }
}
