import type { Image } from '../../image.ts';
import { allocateSamples, hasAlpha, maxSample } from '../../image.ts';

/** Of 8 bits: what is black, and how far above it white is (ITU-T H.273, 8.3: VideoFullRangeFlag is 0). */
const [BLACK, RANGE] = [16, 219];

/**
 * Gray that is told in the range of video, stretched to all that a sample holds; alpha is so already. The decoder of AVIF and HEIC does it
 * for colours alone.
 * @param bits of the file, of which the samples are fractions
 */
export function fromVideoRange(image: Image, bits: number): Image {
  const { data, depth, channels } = image;
  const most = maxSample(depth);
  const unit = most / (2 ** bits - 1);
  const [black, range] = [BLACK, RANGE].map((level) => level * 2 ** (bits - 8) * unit) as [number, number];
  const stretched = allocateSamples(depth, data.length);
  stretched.set(data);
  const step = hasAlpha(channels) ? channels : 1;
  for (let i = 0; i < data.length; i += step) {
    const share = ((data[i] ?? 0) - black) / range;
    stretched[i] = Math.round(Math.min(Math.max(share, 0), 1) * most);
  }
  return { ...image, data: stretched };
}
