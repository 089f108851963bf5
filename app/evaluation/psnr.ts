import type { ComparedPair } from './compared-samples.ts';
import { DATA_RANGE } from './compared-samples.ts';

/**
 * Peak signal-to-noise ratio in dB over all samples, as scikit-image's `peak_signal_noise_ratio`; `Infinity` where the
 * images are equal.
 */
export function psnr({ reference, candidate }: ComparedPair): number {
  const { width, height, channels } = reference;
  const a = new Float64Array(width);
  const b = new Float64Array(width);
  let sum = 0;
  for (let y = 0; y < height; y++) {
    for (let channel = 0; channel < channels; channel++) {
      reference.readRow(y, channel, a);
      candidate.readRow(y, channel, b);
      sum += squaredDistance(a, b);
    }
  }
  return 10 * Math.log10(DATA_RANGE ** 2 / (sum / (width * height * channels)));
}

function squaredDistance(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let x = 0; x < a.length; x++) sum += ((a[x] ?? 0) - (b[x] ?? 0)) ** 2;
  return sum;
}
