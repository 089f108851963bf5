import type { Image } from '../../image.ts';
import { allocateSamples, hasAlpha, maxSample } from '../../image.ts';

/** Colours that were multiplied with alpha, as they were before that, to the nearest level; where alpha is 0 they are 0. */
export function dividedColors(image: Image): Image {
  const { data, depth, channels } = image;
  if (!hasAlpha(channels)) return image;
  const most = maxSample(depth);
  const divided = allocateSamples(depth, data.length);
  for (let at = 0; at < data.length; at += channels) {
    const alpha = data[at + channels - 1] ?? 0;
    for (let c = 0; c < channels - 1 && alpha > 0; c++)
      divided[at + c] = Math.min(Math.round(((data[at + c] ?? 0) * most) / alpha), most);
    divided[at + channels - 1] = alpha;
  }
  return { ...image, data: divided };
}
