import { scaledSide } from '../../options/scaled-side.ts';
import { OutputTooLargeError } from '../errors.ts';
import type { Rectangle } from '../../imaging/rectangle.ts';
import type { Fit } from '../../options/upscale-options.ts';
import type { Size } from '../result.ts';

/** The size that a caller asked for: a factor, one side, or both sides (`oneSize` sees that it is not a factor and a side). */
export interface AskedSize {
  readonly scale?: number | undefined;
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  /** With both sides. */
  readonly fit?: Fit | undefined;
}

/**
 * The size of the result in pixels, before `coverCrop`. `width` and `height` together are exact, or as `fit` says; one alone
 * keeps the ratio; a scale gives `int(w * scale)` x `int(h * scale)` of the exact decimal product, at least 1 (`scaledSide`).
 * @param defaultScale where nothing was asked
 * @throws OutputTooLargeError above `maxPixels`
 */
export function targetSize(input: Size, asked: AskedSize, defaultScale: number, maxPixels: number): Size {
  const size = wantedSize(input, asked, defaultScale);
  if (size.width * size.height > maxPixels) {
    throw new OutputTooLargeError(
      `the result would have ${size.width} x ${size.height} pixels, more than the ${maxPixels} pixels that MAX_OUTPUT_PIXELS allows; ask for a smaller size`,
    );
  }
  return size;
}

/** The same without a bound, for where what `defaultScale` will be is not known yet. */
export function wantedSize(input: Size, { scale, width, height, fit }: AskedSize, defaultScale: number): Size {
  if (width !== undefined && height !== undefined) return fitted(input, { width, height }, fit);
  if (width !== undefined) return { width, height: Math.max(1, Math.round((input.height * width) / input.width)) };
  if (height !== undefined) return { width: Math.max(1, Math.round((input.width * height) / input.height)), height };
  const factor = scale ?? defaultScale;
  return { width: scaledSide(input.width, factor), height: scaledSide(input.height, factor) };
}

/** Whether a caller asked for a size at all. */
export function isSizeAsked({ scale, width, height }: AskedSize): boolean {
  return scale !== undefined || width !== undefined || height !== undefined;
}

/** How many times the sides grow, as the larger of both: what a model is chosen by. */
export function growth(input: Size, output: Size): number {
  return Math.max(output.width / input.width, output.height / input.height);
}

/** What is left of a picture of `size` that was made to cover what was asked: the middle of it. */
export function coverCrop(size: Size, { width, height, fit }: AskedSize): Rectangle | undefined {
  if (fit !== 'cover' || width === undefined || height === undefined) return undefined;
  if (size.width === width && size.height === height) return undefined;
  return { x: Math.floor((size.width - width) / 2), y: Math.floor((size.height - height) / 2), width, height };
}

/** Of both sides one is as asked; the other is smaller (`inside`) or larger (`cover`) by the ratio of the picture. */
function fitted(input: Size, asked: Size, fit: Fit = 'fill'): Size {
  if (fit === 'fill') return asked;
  const [byWidth, byHeight] = [asked.width / input.width, asked.height / input.height];
  const isWide = fit === 'inside' ? byWidth <= byHeight : byWidth >= byHeight;
  return isWide ? wantedSize(input, { width: asked.width }, 1) : wantedSize(input, { height: asked.height }, 1);
}
