import type { ImageShape, Samples } from '../image.ts';

type Kind = Pick<ImageShape, 'channels' | 'depth'>;

/**
 * Multiplies colour by alpha, from `source` into `target` (at least as long, alpha last). 8 bits round as Pillow's RGBA to
 * RGBa conversion (`MULDIV255`: the quotient by 255, rounded, without dividing); 16 bits do the same with 65535.
 */
export function premultiply(source: Samples, target: Samples, { channels, depth }: Kind): void {
  for (let pixel = 0; pixel < source.length; pixel += channels) {
    const last = pixel + channels - 1;
    const alpha = source[last] ?? 0;
    target[last] = alpha;
    for (let i = pixel; i < last; i++) {
      const product = (source[i] ?? 0) * alpha;
      if (depth === 16) target[i] = product / 65535 + 0.5;
      else target[i] = (product + 128 + ((product + 128) >> 8)) >> 8;
    }
  }
}

/**
 * Divides colour by alpha in place. 8 bits as Pillow's RGBa to RGBA: truncated, clipped, and left alone where alpha is
 * 0 or full; 16 bits round to the nearest, since no reference binds them.
 */
export function unpremultiply(samples: Samples, { channels, depth }: Kind): void {
  const max = depth === 16 ? 65535 : 255;
  const half = depth === 16 ? 0.5 : 0;
  for (let pixel = 0; pixel < samples.length; pixel += channels) {
    const last = pixel + channels - 1;
    const alpha = samples[last] ?? 0;
    if (alpha === 0 || alpha === max) continue;
    for (let i = pixel; i < last; i++) {
      const color = (max * (samples[i] ?? 0)) / alpha + half; // storing it truncates
      samples[i] = color > max ? max : color;
    }
  }
}
