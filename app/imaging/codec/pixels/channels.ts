import type { Channels, Image } from '../../image.ts';
import { allocateSamples, hasAlpha, isOpaque, maxSample } from '../../image.ts';
import type { Rectangle } from '../../rectangle.ts';

/** An image of some of the channels of another, in the order of their indexes. */
export function withChannels(image: Image, kept: readonly number[]): Image {
  const { data, depth, channels } = image;
  const count = kept.length as Channels;
  const samples = allocateSamples(depth, (data.length / channels) * count);
  for (let pixel = 0, to = 0; to < samples.length; pixel += channels) {
    for (const channel of kept) samples[to++] = data[pixel + channel] ?? 0;
  }
  return { ...image, channels: count, data: samples };
}

/** Without alpha, where that is full everywhere. */
export function withoutUnusedAlpha(image: Image): Image {
  return image.channels === 4 && isOpaque(image) ? withChannels(image, [0, 1, 2]) : image;
}

/** Of three channels that are the same the first, and alpha. */
export function withoutColor(image: Image): Image {
  return image.channels < 3 ? image : withChannels(image, image.channels === 4 ? [0, 3] : [0]);
}

/** With alpha, which is 0 beside a rectangle; so are the colours there. */
export function clearBeside(image: Image, { x, y, width, height }: Rectangle): Image {
  const colors = hasAlpha(image.channels) ? image.channels - 1 : image.channels;
  const channels = (colors + 1) as Channels;
  const data = allocateSamples(image.depth, image.width * image.height * channels);
  for (let row = y; row < Math.min(y + height, image.height); row++) {
    for (let column = x; column < Math.min(x + width, image.width); column++) {
      const pixel = row * image.width + column;
      const [from, to] = [pixel * image.channels, pixel * channels];
      for (let c = 0; c < channels; c++)
        data[to + c] = c < image.channels ? (image.data[from + c] ?? 0) : maxSample(image.depth);
    }
  }
  return { ...image, channels, data };
}
