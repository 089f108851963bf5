import { BadParameterError, OutputTooLargeError } from '../errors.ts';
import type { Size } from '../result.ts';

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
  const size = wantedSize(input, asked, defaultScale);
  if (size.width * size.height > maxPixels) {
    throw new OutputTooLargeError(
      `the result would have ${size.width} x ${size.height} pixels, more than the ${maxPixels} pixels that MAX_OUTPUT_PIXELS allows; ask for a smaller ${asked.scale === undefined && isSizeAsked(asked) ? 'width and height' : 'scale'}`,
    );
  }
  return size;
}

/** The same without a bound, for where what `defaultScale` will be is not known yet. @throws BadParameterError */
export function wantedSize(input: Size, { scale, width, height }: AskedSize, defaultScale: number): Size {
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

/** Whether a caller asked for a size at all. */
export function isSizeAsked({ scale, width, height }: AskedSize): boolean {
  return scale !== undefined || width !== undefined || height !== undefined;
}

/** How many times the sides grow, as the larger of both: what a model is chosen by. */
export function growth(input: Size, output: Size): number {
  return Math.max(output.width / input.width, output.height / input.height);
}
