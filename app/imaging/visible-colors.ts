import type { Image } from './image.ts';
import { hasAlpha } from './image.ts';
import type { RowSource } from './rows.ts';
import { rowsOf } from './rows.ts';

/**
 * A picture with every pixel of alpha 0 in the colour of the visible pixel that is nearest to it, so that colours which nobody sees
 * do not run into those that are seen where a network looks at several pixels at once. Alpha stays. Takes time in proportion to the
 * pixels, and memory for a copy of them (Meijster et al., "A general algorithm for computing distance transforms in linear time",
 * 2000). The source itself where nothing is hidden, or nothing visible.
 */
export function visibleRows(source: RowSource): RowSource {
  const { width, height, channels, depth } = source;
  if (!hasAlpha(channels)) return source;
  const image = { width, height, channels, depth, data: source.readRows(0, height) };
  return isPartlyHidden(image) ? rowsOf(withVisibleColors(image)) : source;
}

/** Whether some pixels are hidden and some are not. */
function isPartlyHidden({ data, channels }: Image): boolean {
  const isHidden = data[channels - 1] === 0;
  for (let at = channels - 1; at < data.length; at += channels) if ((data[at] === 0) !== isHidden) return true;
  return false;
}

const NONE = -1;

/** For every column of a row the visible pixel that is nearest to the row. */
interface NearestInColumns {
  /** The row of each; `NONE` where the column has none. */
  readonly rows: Int32Array;
  /** The last visible row that was passed, and the next one or the height. */
  readonly above: Int32Array;
  readonly below: Int32Array;
}

function withVisibleColors(image: Image): Image {
  const { width, height, channels, data } = image;
  const filled = data.slice();
  const columns = () => new Int32Array(width).fill(NONE);
  const inColumns = { rows: columns(), above: columns(), below: columns() };
  const nearest = columns();
  const envelope = { columns: columns(), starts: new Float64Array(width) };
  for (let y = 0; y < height; y++) {
    if (!moveTo(y, image, inColumns)) continue;
    nearestColumns(y, inColumns.rows, envelope, nearest);
    for (let x = 0; x < width; x++) {
      const to = (y * width + x) * channels;
      if (data[to + channels - 1] !== 0) continue;
      const column = nearest[x] ?? 0;
      const from = ((inColumns.rows[column] ?? 0) * width + column) * channels;
      for (let c = 0; c < channels - 1; c++) filled[to + c] = data[from + c] ?? 0;
    }
  }
  return { ...image, data: filled };
}

/**
 * @param y each row in its turn: every pixel is looked at once in all
 * @returns whether the row has hidden pixels
 */
function moveTo(y: number, image: Image, { rows, above, below }: NearestInColumns): boolean {
  const { width, height } = image;
  let isHidden = false;
  for (let x = 0; x < width; x++) {
    let next = below[x] ?? NONE;
    if (next < y) next = below[x] = visibleFrom(x, y, image);
    if (next === y) {
      above[x] = y;
      rows[x] = y;
      continue;
    }
    isHidden = true;
    const passed = above[x] ?? NONE;
    const isBelow = next < height && (passed === NONE || next - y < y - passed);
    rows[x] = isBelow ? next : passed;
  }
  return isHidden;
}

/** The first visible row of a column from `y` on, or the height. */
function visibleFrom(x: number, y: number, { width, height, channels, data }: Image): number {
  const stride = width * channels;
  let at = y * stride + (x + 1) * channels - 1;
  let row = y;
  for (; row < height && data[at] === 0; row++) at += stride;
  return row;
}

/** Parabolas, from the left, and where each begins to be the lowest. */
interface Envelope {
  readonly columns: Int32Array;
  readonly starts: Float64Array;
}

/**
 * For every pixel of row `y` the column whose pixel is nearest: the lower envelope of parabolas that stand on the columns.
 * @param rows of the pixels, by column; one at least is there
 * @param envelope room for as many as there are columns
 */
function nearestColumns(y: number, rows: Int32Array, { columns, starts }: Envelope, nearest: Int32Array): void {
  const width = rows.length;
  let last = NONE;
  for (let column = 0; column < width; column++) {
    const row = rows[column] ?? NONE;
    if (row === NONE) continue;
    const cost = (row - y) * (row - y) + column * column;
    let start = -Infinity;
    for (; last !== NONE; last--) {
      const left = columns[last] ?? 0;
      const away = (rows[left] ?? 0) - y;
      start = (cost - away * away - left * left) / (2 * (column - left));
      if (start > (starts[last] ?? 0)) break;
      start = -Infinity;
    }
    last++;
    columns[last] = column;
    starts[last] = start;
  }
  for (let x = width - 1; x >= 0; x--) {
    while ((starts[last] ?? 0) > x) last--;
    nearest[x] = columns[last] ?? 0;
  }
}
