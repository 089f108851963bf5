import type { Samples } from './image.ts';
import { hasAlpha, maxSample, rowLength } from './image.ts';
import { batchRows } from './row-batch.ts';
import type { RowSink, RowSource } from './rows.ts';

// Pixels count by their alpha, as far as they can be seen: colours below alpha 0 may be anything. Alpha itself stays.

/**
 * Writes `made` with one number added to each colour, by which its mean becomes that of `reference`. The reference has as many
 * colours and bits; its size may be another.
 */
export function matchMeans(made: RowSource, reference: RowSource, sink: RowSink): void {
  const wanted = meansOf(reference);
  const shifts = meansOf(made).map((mean, color) => (wanted[color] ?? 0) - mean);
  const colors = shifts.length;
  forBatches(made, (rows) => {
    const shifted = rows.slice();
    for (let at = 0; at < rows.length; at += made.channels) {
      for (let color = 0; color < colors; color++) {
        shifted[at + color] = toSample((rows[at + color] ?? 0) + (shifts[color] ?? 0), made);
      }
    }
    sink.writeRows(shifted);
  });
}

/** Distances of the taps of each level of the à-trous transform, whose filter is [1 2 1] / 4. */
const LEVELS = [1, 2, 4, 8, 16] as const;
/** How far a pixel of the lowest band sees. */
const REACH = LEVELS.reduce<number>((sum, distance) => sum + distance, 0);
/** Numbers in a buffer of rows that are filtered at once, about. */
const BUFFER_NUMBERS = 2 ** 22;

/**
 * Writes the high bands of `made` with the lowest band of `reference`: an undecimated wavelet transform of five levels, each half as
 * fine as the one before. What changes within some 13 pixels stays as it was made; the tones below that become the reference's.
 * Edges are repeated beyond the picture. Both have one size, as many colours, and as many bits.
 * @param band how many rows are worked on at once; by default what some megabytes hold
 */
export function matchLowBands(made: RowSource, reference: RowSource, sink: RowSink, band = bandRows(made)): void {
  for (let y = 0; y < made.height; y += band) {
    const count = Math.min(band, made.height - y);
    const low = lowBand(differences(made, reference, y, count));
    const rows = made.readRows(y, count).slice();
    addLowBand(rows, low, made);
    sink.writeRows(rows);
  }
}

/** Differences around a band, by which alpha they count, and how many numbers a pixel has. */
interface Field {
  readonly numbers: Float32Array;
  /** Of the field, with its margins. */
  readonly width: number;
  readonly height: number;
  /** Numbers of a pixel: a difference for each colour, and its weight where there is alpha. */
  readonly stride: number;
}

function bandRows({ width, channels, height }: RowSource): number {
  const rows = Math.floor(BUFFER_NUMBERS / ((width + 2 * REACH) * channels)) - 2 * REACH;
  return Math.min(height, Math.max(REACH, rows));
}

/** What the reference has more than what was made, in `count` rows from `y` and their margins. */
function differences(made: RowSource, reference: RowSource, y: number, count: number): Field {
  const { channels, width: inner, depth } = made;
  const [width, height] = [inner + 2 * REACH, count + 2 * REACH];
  const numbers = new Float32Array(width * height * channels);
  const isWeighted = hasAlpha(channels);
  const colors = isWeighted ? channels - 1 : channels;
  for (let row = 0; row < height; row++) {
    const from = within(y + row - REACH, made.height);
    const [ours, theirs] = [made.readRows(from, 1), reference.readRows(from, 1)];
    for (let column = 0; column < width; column++) {
      const x = within(column - REACH, inner);
      const at = (row * width + column) * channels;
      const weight = isWeighted ? (ours[x * channels + colors] ?? 0) / maxSample(depth) : 1;
      for (let color = 0; color < colors; color++) {
        const wanted = theirs[x * reference.channels + color] ?? 0;
        numbers[at + color] = weight * (wanted - (ours[x * channels + color] ?? 0));
      }
      if (isWeighted) numbers[at + colors] = weight;
    }
  }
  return { numbers, width, height, stride: channels };
}

function within(position: number, size: number): number {
  return Math.min(Math.max(position, 0), size - 1);
}

/** The field after all levels; its margins hold nothing of use. */
function lowBand(field: Field): Field {
  const { numbers, width, stride } = field;
  const across = new Float32Array(numbers.length);
  for (const distance of LEVELS) {
    smooth(numbers, across, distance * stride);
    smooth(across, numbers, distance * width * stride);
  }
  return field;
}

/** [1 2 1] / 4 over numbers that lie `step` apart, wherever all three are there. */
function smooth(from: Float32Array, to: Float32Array, step: number): void {
  for (let at = step; at < from.length - step; at++) {
    to[at] = ((from[at - step] ?? 0) + 2 * (from[at] ?? 0) + (from[at + step] ?? 0)) / 4;
  }
}

function addLowBand(rows: Samples, { numbers, width, stride }: Field, made: RowSource): void {
  const isWeighted = hasAlpha(made.channels);
  const colors = isWeighted ? stride - 1 : stride;
  for (let pixel = 0; pixel < rows.length / stride; pixel++) {
    const [row, column] = [Math.floor(pixel / made.width), pixel % made.width];
    const at = ((row + REACH) * width + column + REACH) * stride;
    const weight = isWeighted ? (numbers[at + colors] ?? 0) : 1;
    if (weight === 0) continue;
    for (let color = 0; color < colors; color++) {
      const index = pixel * stride + color;
      rows[index] = toSample((rows[index] ?? 0) + (numbers[at + color] ?? 0) / weight, made);
    }
  }
}

function meansOf(source: RowSource): number[] {
  const isWeighted = hasAlpha(source.channels);
  const colors = isWeighted ? source.channels - 1 : source.channels;
  const sums = new Array<number>(colors).fill(0);
  let weights = 0;
  forBatches(source, (rows) => {
    for (let at = 0; at < rows.length; at += source.channels) {
      const weight = isWeighted ? (rows[at + colors] ?? 0) : 1;
      weights += weight;
      for (let color = 0; color < colors; color++) sums[color] = (sums[color] ?? 0) + weight * (rows[at + color] ?? 0);
    }
  });
  return sums.map((sum) => (weights === 0 ? 0 : sum / weights));
}

function forBatches(source: RowSource, each: (rows: Samples) => void): void {
  const batch = batchRows(rowLength(source));
  for (let y = 0; y < source.height; y += batch) each(source.readRows(y, Math.min(batch, source.height - y)));
}

function toSample(value: number, { depth }: RowSource): number {
  return Math.min(Math.max(Math.round(value), 0), maxSample(depth));
}
