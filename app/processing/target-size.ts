import { BadParameterError, OutputTooLargeError } from './errors.ts';
import type { Size } from './result.ts';

/** The size that a caller asked for: a factor, one side, or both. */
export interface AskedSize {
  readonly scale?: number | undefined;
  readonly width?: number | undefined;
  readonly height?: number | undefined;
}

/**
 * The size of the result in pixels. `width` and `height` together are exact, one alone keeps the ratio; a scale gives
 * `int(w * scale)` x `int(h * scale)` as Python counts, at least 1.
 * @param defaultScale where nothing was asked
 * @throws BadParameterError where a scale and a side are both given; OutputTooLargeError above `maxPixels`
 */
export function targetSize(input: Size, asked: AskedSize, defaultScale: number, maxPixels: number): Size {
  const size = unlimitedSize(input, asked, defaultScale);
  if (size.width * size.height > maxPixels) {
    throw new OutputTooLargeError(
      `the result would have ${size.width} x ${size.height} pixels, more than the ${maxPixels} that MAX_OUTPUT_PIXELS allows; ask for a smaller scale`,
    );
  }
  return size;
}

function unlimitedSize(input: Size, { scale, width, height }: AskedSize, defaultScale: number): Size {
  if (scale !== undefined && (width !== undefined || height !== undefined)) {
    throw new BadParameterError('scale: give either scale, or width and height, not both');
  }
  if (width !== undefined && height !== undefined) return { width, height };
  if (width !== undefined) return { width, height: Math.max(1, Math.round((input.height * width) / input.width)) };
  if (height !== undefined) return { width: Math.max(1, Math.round((input.width * height) / input.height)), height };
  const factor = scale ?? defaultScale;
  return {
    width: Math.max(1, Math.trunc(input.width * factor)),
    height: Math.max(1, Math.trunc(input.height * factor)),
  };
}

/** How many times the sides grow, as the larger of both: what a model is chosen by. */
export function growth(input: Size, output: Size): number {
  return Math.max(output.width / input.width, output.height / input.height);
}
