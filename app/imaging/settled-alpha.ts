import type { ImageShape, Samples } from './image.ts';
import { hasAlpha, maxSample } from './image.ts';
import type { Rectangle } from './rectangle.ts';
import type { RowSink, RowSource } from './rows.ts';

/** Where the rows of a sink lie in a whole picture. */
export interface Place {
  readonly whole: Pick<ImageShape, 'width' | 'height'>;
  readonly region: Rectangle;
}

/** Source pixels on all sides that have to be alike. LANCZOS lets an edge be seen three pixels away. */
const REACH = 2;

/**
 * Takes rows for `sink` that a network made of `source`. Where alpha is 0, or full, at a pixel of the source and for `REACH` pixels
 * all around (the edge of the picture is no change), it is so in the result, whatever the network made of it: networks never quite
 * say 0 or 1. Where either has no alpha, the sink itself.
 * @param place of the sink's rows in the enlarged picture; by default they are all of it
 */
export function settledAlpha(sink: RowSink, source: RowSource, place?: Place): RowSink {
  const { width, height, channels, depth } = sink;
  if (!hasAlpha(channels) || !hasAlpha(source.channels)) return sink;
  const { whole, region } = place ?? { whole: sink, region: { x: 0, y: 0, width, height } };
  const columns = Int32Array.from({ length: width }, (_, x) => sourceSide(region.x + x, whole.width, source.width));
  const settled = new SettledRows(source, whole);
  let y = region.y;
  const writeRows = (rows: Samples): void => {
    const written = rows.slice();
    for (let at = channels - 1; at < written.length; y++) {
      const row = settled.row(sourceSide(y, whole.height, source.height));
      for (let x = 0; x < width; x++, at += channels) {
        const kind = row[columns[x] ?? 0];
        if (kind !== MIXED) written[at] = kind === FULL ? maxSample(depth) : 0;
      }
    }
    sink.writeRows(written);
  };
  return { width, height, channels, depth, writeRows };
}

/** The pixel of the source that the middle of a pixel of the result lies in. */
function sourceSide(at: number, size: number, sourceSize: number): number {
  return Math.min(sourceSize - 1, Math.trunc(((at + 0.5) * sourceSize) / size));
}

/** What alpha is around a pixel; as bits, so that kinds can be joined. */
const EMPTY = 1;
const FULL = 2;
const MIXED = EMPTY | FULL;

/** What alpha is around each pixel of a row, for rows that are asked for from the top. */
class SettledRows {
  readonly #source: RowSource;
  readonly #reach: { readonly across: number; readonly down: number };
  readonly #kinds = new Map<number, Uint8Array>();
  #y = -1;
  #row: Uint8Array = new Uint8Array(0);

  constructor(source: RowSource, whole: Place['whole']) {
    this.#source = source;
    const reach = (side: number, size: number): number => Math.ceil(REACH * Math.max(1, side / size));
    this.#reach = { across: reach(source.width, whole.width), down: reach(source.height, whole.height) };
  }

  row(y: number): Uint8Array {
    if (y !== this.#y) this.#row = this.#joined(y);
    this.#y = y;
    return this.#row;
  }

  #joined(y: number): Uint8Array {
    const { down } = this.#reach;
    const last = Math.min(this.#source.height - 1, y + down);
    const joined = new Uint8Array(this.#source.width);
    for (let row = Math.max(0, y - down); row <= last; row++) {
      const kinds = this.#kinds.get(row) ?? this.#read(row);
      this.#kinds.set(row, kinds);
      for (let x = 0; x < joined.length; x++) joined[x] = (joined[x] ?? 0) | (kinds[x] ?? 0);
    }
    for (const row of this.#kinds.keys()) if (row < y - down) this.#kinds.delete(row);
    return joined;
  }

  /** The kinds along one row, each joined with its neighbours'. */
  #read(y: number): Uint8Array {
    const { width, channels, depth } = this.#source;
    const { across } = this.#reach;
    const full = maxSample(depth);
    const samples = this.#source.readRows(y, 1);
    const kinds = new Uint8Array(width);
    const near = { [EMPTY]: -Infinity, [FULL]: -Infinity }; // where alpha was last not full, not 0
    const kindOf = (x: number): number => {
      const alpha = samples[(x + 1) * channels - 1];
      return alpha === 0 ? EMPTY : alpha === full ? FULL : MIXED;
    };
    for (let x = 0; x < width + across; x++) {
      const kind = x < width ? kindOf(x) : 0;
      if (kind & EMPTY) near[EMPTY] = x;
      if (kind & FULL) near[FULL] = x;
      const at = x - across;
      if (at >= 0) kinds[at] = (near[EMPTY] >= at - across ? EMPTY : 0) | (near[FULL] >= at - across ? FULL : 0);
    }
    return kinds;
  }
}
