import type { Image } from '../imaging/image.ts';
import { maxSample, rowLength } from '../imaging/image.ts';
import { NotComparableError } from './errors.ts';

/** The largest value of a compared sample, whatever the depth of the image was. */
export const DATA_RANGE = 255;

/** What of an image is compared. */
export interface ComparisonOptions {
  /** Pixels that are left out at every edge. */
  readonly cropBorder: number;
  /** Whether the luma of ITU-R BT.601 (16..235) is compared instead of the colours. */
  readonly isLumaOnly: boolean;
}

/** Samples of 0..255 by row and channel. Nothing is kept: a row is made when it is asked for. */
export interface ComparedSamples {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  /** Fills `row`, which has `width` places. */
  readRow(y: number, channel: number, row: Float64Array): void;
}

/** Two images that fit each other. */
export interface ComparedPair {
  readonly reference: ComparedSamples;
  readonly candidate: ComparedSamples;
}

/**
 * Two images as samples to compare: colours (gray where both are gray, else gray is repeated), or luma. Alpha is left out; 16
 * bits are brought to 0..255 without rounding.
 * @throws NotComparableError where their sizes differ or the border leaves nothing
 */
export function comparedPair(reference: Image, candidate: Image, options: ComparisonOptions): ComparedPair {
  if (reference.width !== candidate.width || reference.height !== candidate.height) {
    throw new NotComparableError(
      `expected images of one size, got ${sizeOf(reference)} and ${sizeOf(candidate)}; resize one of them first`,
    );
  }
  const border = options.cropBorder;
  if (Math.min(reference.width, reference.height) <= 2 * border) {
    throw new NotComparableError(`a border of ${border} pixels leaves nothing of ${sizeOf(reference)}`);
  }
  const isGray = reference.channels <= 2 && candidate.channels <= 2;
  const samplesOf = (image: Image): ComparedSamples => ({
    width: image.width - 2 * border,
    height: image.height - 2 * border,
    channels: options.isLumaOnly || isGray ? 1 : 3,
    readRow: rowReader(image, options),
  });
  return { reference: samplesOf(reference), candidate: samplesOf(candidate) };
}

function rowReader(image: Image, { cropBorder, isLumaOnly }: ComparisonOptions): ComparedSamples['readRow'] {
  const { data, channels, depth } = image;
  const scale = DATA_RANGE / maxSample(depth);
  const [, green, blue] = channels < 3 ? [0, 0, 0] : [0, 1, 2];
  const startOf = (y: number): number => (y + cropBorder) * rowLength(image) + cropBorder * channels;
  if (!isLumaOnly) {
    return (y, channel, row) => {
      const start = startOf(y) + (channels < 3 ? 0 : channel);
      for (let x = 0; x < row.length; x++) row[x] = (data[start + x * channels] ?? 0) * scale;
    };
  }
  return (y, _channel, row) => {
    for (let x = 0, at = startOf(y); x < row.length; x++, at += channels) {
      const [r, g, b] = [data[at] ?? 0, data[at + green] ?? 0, data[at + blue] ?? 0];
      row[x] = ((65.481 * r + 128.553 * g + 24.966 * b) * scale) / 255 + 16;
    }
  };
}

function sizeOf({ width, height }: Image): string {
  return `${width}x${height}`;
}
