import type { ImageShape, Samples } from './image.ts';

/**
 * Multiplies colour by alpha, from `source` into `target` (same length, alpha last). 8 bits round as Pillow's
 * RGBA to RGBa conversion (`MULDIV255`: the exact quotient by 255, rounded); 16 bits do the same with 65535.
 */
export function premultiply(
  source: Samples,
  target: Samples,
  { channels, depth }: Pick<ImageShape, 'channels' | 'depth'>,
): void {
  const max = depth === 16 ? 65535 : 255;
  for (let pixel = 0; pixel < source.length; pixel += channels) {
    const last = pixel + channels - 1;
    const alpha = source[last] ?? 0;
    target[last] = alpha;
    for (let i = pixel; i < last; i++) {
      const sample = source[i] ?? 0;
      target[i] =
        alpha === max ? sample : depth === 16 ? Math.round((sample * alpha) / max) : divideBy255(sample * alpha);
    }
  }
}

/**
 * Divides colour by alpha in place. 8 bits as Pillow's RGBa to RGBA: truncated, clipped, and left alone where alpha is
 * 0 or full; 16 bits round to the nearest, since no reference binds them.
 */
export function unpremultiply(samples: Samples, { channels, depth }: Pick<ImageShape, 'channels' | 'depth'>): void {
  const max = depth === 16 ? 65535 : 255;
  const half = depth === 16 ? 0.5 : 0;
  for (let pixel = 0; pixel < samples.length; pixel += channels) {
    const last = pixel + channels - 1;
    const alpha = samples[last] ?? 0;
    if (alpha === 0 || alpha === max) continue;
    for (let i = pixel; i < last; i++) {
      samples[i] = Math.min(Math.trunc((max * (samples[i] ?? 0)) / alpha + half), max);
    }
  }
}

/** Rounded division of 0..65025 by 255 without dividing. */
function divideBy255(product: number): number {
  const biased = product + 128;
  return ((biased >> 8) + biased) >> 8;
}
