import type { Image, ImageShape } from '../image.ts';
import { allocateSamples, maxSample, rowLength } from '../image.ts';
import { sinc } from '../sinc.ts';

/** A curve between samples: `weight` of a sample at a distance in pixels, 0 from `support` on. */
export interface InterpolationKernel {
  readonly support: number;
  weight(distance: number): number;
}

/** A sine windowed by a sine four pixels wide, over eight samples (OpenCV's INTER_LANCZOS4). */
export const LANCZOS4: InterpolationKernel = {
  support: 4,
  weight: (distance) => sinc(distance) * sinc(distance / 4),
};

/** The samples that make up one of the result, beginning at `start`, and their shares. */
interface Window {
  readonly start: number;
  readonly weights: Float64Array;
}

/**
 * Resizes as `cv2.resize` does with a kernel (INTER_LANCZOS4): a curve through the samples, which is not widened where the picture
 * shrinks (`resample` does that, as Pillow); beyond the edge the last pixel goes on. Within one level of OpenCV, whose weights have
 * 11 bits.
 */
export function interpolate(image: Image, width: number, height: number, kernel: InterpolationKernel): Image {
  const windows = (from: number, to: number): Window[] =>
    Array.from({ length: to }, (_, index) => curveWindow(((index + 0.5) * from) / to - 0.5, from, kernel));
  return resize(image, windows(image.width, width), windows(image.height, height));
}

/** Reduces as `cv2.resize` with INTER_AREA: every pixel is the mean of the area that it covers. */
export function reduceByArea(image: Image, width: number, height: number): Image {
  const windows = (from: number, to: number): Window[] =>
    Array.from({ length: to }, (_, index) => areaWindow(index, from / to, from));
  return resize(image, windows(image.width, width), windows(image.height, height));
}

function curveWindow(centre: number, size: number, kernel: InterpolationKernel): Window {
  const first = Math.floor(centre) - kernel.support + 1;
  const taps = Float64Array.from({ length: 2 * kernel.support }, (_, i) => kernel.weight(centre - first - i));
  const start = clamp(first, size);
  const weights = new Float64Array(clamp(first + taps.length - 1, size) - start + 1);
  const sum = taps.reduce((total, tap) => total + tap, 0);
  taps.forEach((tap, i) => {
    const at = clamp(first + i, size) - start;
    weights[at] = (weights[at] ?? 0) + tap / sum;
  });
  return { start, weights };
}

function areaWindow(index: number, ratio: number, size: number): Window {
  const [from, to] = [index * ratio, Math.min((index + 1) * ratio, size)];
  const start = Math.floor(from);
  const covered = (pixel: number): number => Math.min(pixel + 1, to) - Math.max(pixel, from);
  const length = Math.max(1, Math.ceil(to - 1e-9) - start);
  return { start, weights: Float64Array.from({ length }, (_, i) => covered(start + i) / (to - from)) };
}

function resize(image: Image, columns: readonly Window[], rows: readonly Window[]): Image {
  const shape: ImageShape = { ...image, width: columns.length, height: rows.length };
  const length = rowLength(shape);
  const data = allocateSamples(image.depth, length * shape.height);
  const across = new RowCache(image, columns);
  const row = new Float64Array(length);
  const limit = maxSample(image.depth);
  rows.forEach(({ start, weights }, y) => {
    row.fill(0.5);
    weights.forEach((weight, i) => addRow(row, across.row(start + i), weight));
    for (let i = 0; i < length; i++) data[y * length + i] = Math.max(0, Math.min(row[i] ?? 0, limit));
  });
  const { width, height, channels, depth } = shape;
  return { width, height, channels, depth, data };
}

/** Rows of the image resized across, kept while the window of rows passes over them. */
class RowCache {
  readonly #rows = new Map<number, Float64Array>();
  readonly #image: Image;
  readonly #columns: readonly Window[];

  constructor(image: Image, columns: readonly Window[]) {
    this.#image = image;
    this.#columns = columns;
  }

  row(y: number): Float64Array {
    const known = this.#rows.get(y);
    if (known) return known;
    const oldest = this.#rows.keys().next().value;
    if (oldest !== undefined && oldest < y - 2 * LANCZOS4.support) this.#rows.delete(oldest);
    const made = resizeRow(this.#image, y, this.#columns);
    this.#rows.set(y, made);
    return made;
  }
}

function resizeRow({ data, width, channels }: Image, y: number, columns: readonly Window[]): Float64Array {
  const row = new Float64Array(columns.length * channels);
  columns.forEach(({ start, weights }, x) => {
    const from = (y * width + start) * channels;
    for (let channel = 0; channel < channels; channel++) {
      let sum = 0;
      for (let i = 0; i < weights.length; i++) sum += (weights[i] ?? 0) * (data[from + i * channels + channel] ?? 0);
      row[x * channels + channel] = sum;
    }
  });
  return row;
}

function addRow(sum: Float64Array, row: Float64Array, weight: number): void {
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) + weight * (row[i] ?? 0);
}

function clamp(index: number, size: number): number {
  return Math.max(0, Math.min(index, size - 1));
}
