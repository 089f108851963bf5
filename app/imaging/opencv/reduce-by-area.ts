import type { Image, ImageShape } from '../image.ts';
import { allocateSamples, maxSample, rowLength } from '../image.ts';

/** The samples that make up one of the result, beginning at `start`, and their shares. */
interface Window {
  readonly start: number;
  readonly weights: Float64Array;
}

/**
 * Reduces as `cv2.resize` with INTER_AREA: every pixel is the mean of the area that it covers.
 * @param width of the result, at most that of the image; `height` likewise
 */
export function reduceByArea(image: Image, width: number, height: number): Image {
  const columns = windows(image.width, width);
  const shape: ImageShape = { ...image, width, height };
  const length = rowLength(shape);
  const data = allocateSamples(image.depth, length * height);
  const row = new Float64Array(length);
  const limit = maxSample(image.depth);
  let reduced: { readonly y: number; readonly row: Float64Array } = { y: -1, row };
  windows(image.height, height).forEach(({ start, weights }, y) => {
    row.fill(0.5);
    weights.forEach((weight, i) => {
      // The last row of a window may be the first of the next one.
      const at = start + i;
      if (reduced.y !== at) reduced = { y: at, row: reducedRow(image, at, columns) };
      addRow(row, reduced.row, weight);
    });
    for (let i = 0; i < length; i++) data[y * length + i] = Math.max(0, Math.min(row[i] ?? 0, limit));
  });
  return { width, height, channels: image.channels, depth: image.depth, data };
}

function windows(from: number, to: number): Window[] {
  return Array.from({ length: to }, (_, index) => areaWindow(index, from / to, from));
}

function areaWindow(index: number, ratio: number, size: number): Window {
  const [from, to] = [index * ratio, Math.min((index + 1) * ratio, size)];
  const start = Math.floor(from);
  const covered = (pixel: number): number => Math.min(pixel + 1, to) - Math.max(pixel, from);
  const length = Math.max(1, Math.ceil(to - 1e-9) - start);
  return { start, weights: Float64Array.from({ length }, (_, i) => covered(start + i) / (to - from)) };
}

function reducedRow({ data, width, channels }: Image, y: number, columns: readonly Window[]): Float64Array {
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
