import type { Image } from '../image.ts';
import { reflect, reflect101 } from '../reflect.ts';
import type { Plane } from './plane.ts';
import type { AffineMatrix } from './similarity-transform.ts';
import { invertAffine } from './similarity-transform.ts';

const { floor } = Math;

/** What lies outside a picture: one value a channel, or the picture mirrored with (`reflect`) or without its last pixels. */
export type WarpBorder = readonly number[] | 'reflect' | 'reflect101';

/** Interleaved samples, as of an image or, with one channel, of a plane. */
export interface WarpSource {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: Uint8Array | Float32Array;
}

/** A plane as a source. */
export function planeSource(plane: Plane): WarpSource {
  return { ...plane, channels: 1 };
}

/**
 * An 8-bit image under `matrix` (from its pixels to the result's), `width` by `height`.
 * @throws RangeError for an image of 16 bits
 */
export function warpImage(
  image: Image,
  matrix: AffineMatrix,
  size: { readonly width: number; readonly height: number },
  border: WarpBorder,
): Image {
  const { data, channels } = image;
  if (data instanceof Uint16Array) throw new RangeError('Cannot warp 16 bits: reduce the image to 8 first');
  const { width, height } = size;
  const sample = rowSampler({ ...image, data }, invertAffine(matrix), border);
  const row = new Float32Array(width * channels);
  const rounded = new Uint8ClampedArray(row.length * height); // rounds halves to even, as OpenCV
  for (let y = 0; y < height; y++) {
    sample({ x: 0, y, count: width }, row);
    rounded.set(row, y * row.length);
  }
  return { width, height, channels, depth: 8, data: new Uint8Array(rounded.buffer) };
}

/** Pixels `x .. x + count - 1` of row `y` of a result. */
export interface RowSpan {
  readonly x: number;
  readonly y: number;
  readonly count: number;
}

/** Writes the warped pixels of a span, interleaved, into `out`. */
export type RowSampler = (span: RowSpan, out: Float32Array) => void;

/**
 * A picture under an affine map, row by row: every pixel of the result is mapped by `back`, the matrix from the result to the
 * source, and read there bilinearly, centres of pixels at whole numbers (`cv2.warpAffine` with INTER_LINEAR, as it is since
 * OpenCV 4.11: with exact fractions).
 */
export function rowSampler(source: WarpSource, back: AffineMatrix, border: WarpBorder): RowSampler {
  const [a, b, c, d, e, f] = back;
  const { width, height, channels } = source;
  const outside = outsideSampler(source, border);
  return ({ x, y, count }, out) => {
    for (let i = 0; i < count; i++) {
      const sourceX = a * (x + i) + b * y + c;
      const sourceY = d * (x + i) + e * y + f;
      const [left, top] = [floor(sourceX), floor(sourceY)];
      const weights = [sourceX - left, sourceY - top] as const;
      const isInside = left >= 0 && top >= 0 && left + 1 < width && top + 1 < height;
      if (isInside) blendInside(source, (top * width + left) * channels, weights, { out, at: i * channels });
      else outside({ left, top }, weights, { out, at: i * channels });
    }
  };
}

type Weights = readonly [right: number, below: number];

interface Target {
  readonly out: Float32Array;
  readonly at: number;
}

/** Four neighbours, all of them in the picture; `from` is the upper left one. */
function blendInside(
  { data, width, channels }: WarpSource,
  from: number,
  [right, below]: Weights,
  { out, at }: Target,
): void {
  const under = from + width * channels;
  for (let channel = 0; channel < channels; channel++) {
    const first = data[from + channel] ?? 0;
    const third = data[under + channel] ?? 0;
    const upper = first + right * ((data[from + channels + channel] ?? 0) - first);
    const lower = third + right * ((data[under + channels + channel] ?? 0) - third);
    out[at + channel] = upper + below * (lower - upper);
  }
}

type OutsideSampler = (corner: { left: number; top: number }, weights: Weights, target: Target) => void;

function outsideSampler(source: WarpSource, border: WarpBorder): OutsideSampler {
  const { width, height, channels, data } = source;
  const fold = border === 'reflect' ? reflect : reflect101;
  const read = (x: number, y: number, channel: number): number => {
    const isInside = x >= 0 && y >= 0 && x < width && y < height;
    if (!isInside && typeof border !== 'string') return border[channel] ?? 0;
    const [column, row] = isInside ? [x, y] : [fold(x, width), fold(y, height)];
    return data[(row * width + column) * channels + channel] ?? 0;
  };
  return ({ left, top }, [right, below], { out, at }) => {
    for (let channel = 0; channel < channels; channel++) {
      const upper = read(left, top, channel) * (1 - right) + read(left + 1, top, channel) * right;
      const lower = read(left, top + 1, channel) * (1 - right) + read(left + 1, top + 1, channel) * right;
      out[at + channel] = upper * (1 - below) + lower * below;
    }
  };
}
