import { assertHolds } from '../imaging/codec/codec-encode.ts';
import { OutputFormatError } from '../imaging/errors.ts';
import type { ImageShape } from '../imaging/image.ts';
import { hasAlpha } from '../imaging/image.ts';
import type { OutputFormat } from '../options/output-formats.ts';
import { formatLabels, holdsSize, isOutputFormat, traitsOf } from '../options/output-formats.ts';
import type { OutputOptions } from '../options/output-options.ts';

/** A format that holds the result, and what its owner should know of why it is that one. */
export interface ResultFormat {
  readonly format: OutputFormat;
  readonly warnings: readonly string[];
}

/**
 * The format to write, by `chooseFormat` and by what the encoders hold: `auto` becomes PNG, with a word, where the sides of the
 * result are too long for the source's own, and where nothing may be lost in it.
 * @throws OutputFormatError where the format that was asked for, or every other, cannot hold the result
 */
export function resultFormat(
  asked: OutputOptions['output_format'],
  source: string,
  shape: ImageShape,
  isLossless = false,
): ResultFormat {
  const chosen = chooseFormat(asked, source, shape);
  const format = asked === 'auto' && isLossless && !traitsOf(chosen).losesNothing ? 'png' : chosen;
  if (isLossless && !traitsOf(format).losesNothing) {
    const others = formatLabels('or', ({ losesNothing }) => losesNothing);
    throw new OutputFormatError(
      `${traitsOf(format).label} always loses something; for lossless=true ask for ${others}`,
    );
  }
  if (asked !== 'auto' || holdsSize(format, shape) || !holdsSize('png', shape)) {
    assertHolds(format, shape);
    return { format, warnings: [] };
  }
  const { label, longestSide } = traitsOf(format);
  const size = `${shape.width}x${shape.height}`;
  return {
    format: 'png',
    warnings: [`written as PNG: ${label} holds sides of at most ${longestSide} pixels, and the result is ${size}`],
  };
}

/**
 * The format of a result that moves: the one asked for, or for `auto` that of the source where it can be written, else WebP, or PNG
 * where WebP does not hold the bits or the size.
 * @throws OutputFormatError where the format that was asked for holds one frame, or cannot hold the result
 */
export function movingFormat(asked: OutputOptions['output_format'], source: string, shape: ImageShape): OutputFormat {
  const isWebp = source !== 'png' && shape.depth === 8 && holdsSize('webp', shape);
  const format = asked === 'auto' ? (isWebp ? 'webp' : 'png') : asked;
  if (!traitsOf(format).holdsFrames) {
    const others = formatLabels('or', ({ holdsFrames }) => holdsFrames);
    throw new OutputFormatError(`${traitsOf(format).label} holds one frame; with frames=all ask for ${others}`);
  }
  assertHolds(format, shape);
  return format;
}

/**
 * The format to write: the one asked for, or for `auto` the source's own where that holds the bits and the transparency of the
 * result, else PNG.
 * @param source the format that was read
 */
export function chooseFormat(
  asked: OutputOptions['output_format'],
  source: string,
  { channels, depth }: Pick<ImageShape, 'channels' | 'depth'>,
): OutputFormat {
  if (asked !== 'auto') return asked;
  if (!isOutputFormat(source)) return 'png';
  const { bits, holdsAlpha } = traitsOf(source);
  return depth > bits || (hasAlpha(channels) && !holdsAlpha) ? 'png' : source;
}
