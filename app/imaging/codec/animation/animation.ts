import { allocateSamples, hasAlpha, maxSample } from '../../image.ts';
import type { Channels, Image } from '../../image.ts';
import { decodePixels } from '../codec-decode.ts';
import type { DecodeInput } from '../decode-input.ts';
import type { DecodeLimits } from '../codec.ts';
import { openImage } from '../codec.ts';
import { ApngCanvas } from './apng-canvas.ts';
import { gifFrames } from '../pixels/gif-frame.ts';
import { GifCoverage } from './gif-coverage.ts';
import { readApng } from './read-apng.ts';
import type { AnimationTimes } from './moving-file.ts';
import { webpTimes } from './webp-times.ts';

/** A moving picture, whose frames are decoded one at a time. */
export interface Animation extends AnimationTimes {
  readonly count: number;
  /** The frames in their order, each the whole canvas, with alpha. */
  readonly frames: () => AsyncIterable<Image>;
}

/**
 * Opens a GIF, WebP or PNG that moves; undefined for any other file. Of its pixels one frame at a time is in memory.
 * @throws BadImageError, ImageTooLargeError, UnsupportedImageError, also while frames are read
 */
export async function openAnimation(file: string | Uint8Array, limits: DecodeLimits): Promise<Animation | undefined> {
  const { bytes, format, name, prepared } = openImage(file, limits);
  const { maxPixels } = limits;
  if (format === 'png') {
    const apng = readApng(bytes, name);
    const times = apng?.frames.map(({ time }) => time) ?? [];
    return (
      apng && {
        count: times.length,
        times,
        plays: apng.plays,
        frames: () => new ApngCanvas(apng, { name, maxPixels }).frames(),
      }
    );
  }
  if (format !== 'gif' && format !== 'webp') return undefined;
  const input = { ...prepared, format, name, maxPixels };
  const { header } = await decodePixels(input);
  const { pages: count = 1, delay = [], loop: plays = 1 } = header;
  if (count < 2) return undefined;
  const times = format === 'webp' ? webpTimes(bytes) : delay;
  return {
    count,
    times: Array.from({ length: count }, (_, i) => times[i] ?? 0),
    plays,
    frames: () => (format === 'gif' ? gifPages(input, bytes, count) : pagesOf(input, count)),
  };
}

async function* pagesOf(input: DecodeInput, count: number): AsyncGenerator<Image> {
  for (let frameIndex = 0; frameIndex < count; frameIndex++) {
    const { image } = await decodePixels({ ...input, frame: undefined, frameIndex });
    yield withAlpha(image);
  }
}

/** The same of a GIF, clear where no frame has been. */
async function* gifPages(input: DecodeInput, file: Uint8Array, count: number): AsyncGenerator<Image> {
  const frames = gifFrames(Buffer.from(file.buffer, file.byteOffset, file.byteLength));
  let coverage: GifCoverage | undefined;
  for await (const image of pagesOf(input, count)) {
    coverage ??= new GifCoverage(image);
    const next = frames.next();
    if (next.done !== true) coverage.show(image, next.value);
    yield image;
  }
}

/** The image with alpha, full where it had none. */
function withAlpha(image: Image): Image {
  const { channels, depth, data, width, height } = image;
  if (hasAlpha(channels)) return image;
  const whole = allocateSamples(depth, width * height * (channels + 1)).fill(maxSample(depth));
  for (let from = 0, to = 0; from < data.length; to++)
    for (let c = 0; c < channels; c++) whole[to * (channels + 1) + c] = data[from++] ?? 0;
  return { ...image, channels: (channels + 1) as Channels, data: whole };
}
