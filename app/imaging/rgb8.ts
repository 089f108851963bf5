import type { Image } from './image.ts';
import { hasAlpha } from './image.ts';

/** `image` as 8-bit RGB, what networks for faces take: 16 bits are rounded to 8, gray is repeated, alpha is left out. */
export function toRgb8(image: Image): Image {
  const { width, height, channels, depth, data } = image;
  if (channels === 3 && depth === 8) return image;
  const colours = hasAlpha(channels) ? channels - 1 : channels;
  const divisor = depth === 16 ? 257 : 1;
  const rgb = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      const sample = data[pixel * channels + (colours === 1 ? 0 : channel)] ?? 0;
      rgb[pixel * 3 + channel] = Math.round(sample / divisor);
    }
  }
  return { width, height, channels: 3, depth: 8, data: rgb };
}
