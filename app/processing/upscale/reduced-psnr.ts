import type { Image, Samples } from '../../imaging/image.ts';
import { hasAlpha, maxSample, rowLength } from '../../imaging/image.ts';
import { resample } from '../../imaging/pillow/resample.ts';
import type { RowSource } from '../../imaging/rows.ts';

/**
 * How near a result is to its source once it has the source's size again (by BICUBIC, as pictures are reduced to train such networks):
 * the PSNR in dB over all colours, alpha left out. Infinite where they are equal; undefined where that says nothing, because nothing was
 * enlarged, the colours are others, or the result is cut. Rows are compared as they come: nothing is kept.
 */
export function reducedPsnr(source: Image, result: RowSource): number | undefined {
  const { width, height, channels, depth } = source;
  const ratio = result.width / width / (result.height / height);
  const isEnlarged = result.width > width && result.height > height && Math.abs(ratio - 1) < MAX_DISTORTION;
  if (!isEnlarged || result.channels !== channels || result.depth !== depth) return undefined;
  const length = rowLength(source);
  let [sum, y] = [0, 0];
  const writeRows = (rows: Samples): void => {
    const own = source.data.subarray(y * length, y * length + rows.length);
    sum += squaredDistance(own, rows, channels);
    y += rows.length / length;
  };
  resample(result, { width, height, channels, depth, writeRows }, 'BICUBIC');
  const compared = width * height * (hasAlpha(channels) ? channels - 1 : channels);
  return 10 * Math.log10(maxSample(depth) ** 2 / (sum / compared));
}

/** Sides are whole pixels: of small pictures the ratio is never quite the same. */
const MAX_DISTORTION = 0.05;

function squaredDistance(a: Samples, b: Samples, channels: number): number {
  const skipped = hasAlpha(channels as Image['channels']) ? channels - 1 : -1;
  let sum = 0;
  for (let at = 0, channel = 0; at < a.length; at++) {
    if (channel !== skipped) sum += ((a[at] ?? 0) - (b[at] ?? 0)) ** 2;
    channel = channel + 1 === channels ? 0 : channel + 1;
  }
  return sum;
}
