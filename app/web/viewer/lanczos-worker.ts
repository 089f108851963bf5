/**
 * The entry of the worker that enlarges originals as the service's own LANCZOS does, by the service's own code: a part of a picture in,
 * its pixels out. It keeps the picture that it was given last.
 */
import type { Image, Samples } from '../../imaging/image.ts';
import type { ResultRegion } from '../../imaging/pillow/resample.ts';
import { resampleRegion } from '../../imaging/pillow/resample.ts';
import type { RowSource } from '../../imaging/rows.ts';

/** What the page asks for; `picture` comes with the first question about it. */
export interface LanczosQuestion extends ResultRegion {
  readonly id: number;
  readonly picture?: ImageBitmap;
}

/** The pixels of the region, RGBA. */
export interface LanczosAnswer {
  readonly id: number;
  readonly pixels: Uint8ClampedArray<ArrayBuffer>;
}

const CHANNELS = 4;
let source: RowSource | undefined;

addEventListener('message', ({ data }: MessageEvent<LanczosQuestion>) => {
  if (data.picture) source = rowsOfBitmap(data.picture);
  if (!source) return;
  const { width, height } = data.region;
  const pixels = new Uint8ClampedArray(width * height * CHANNELS);
  let filled = 0;
  const writeRows = (rows: Samples): void => {
    pixels.set(rows, filled);
    filled += rows.length;
  };
  resampleRegion(source, { width, height, channels: CHANNELS, depth: 8, writeRows }, 'LANCZOS', data);
  const answer: LanczosAnswer = { id: data.id, pixels };
  postMessage(answer, { transfer: [pixels.buffer] });
});

/** Read a few rows at a time: a large picture's pixels are in memory once, as the browser has them. */
function rowsOfBitmap(picture: ImageBitmap): RowSource {
  const { width, height } = picture;
  const shape: Pick<Image, 'width' | 'height' | 'channels' | 'depth'> = { width, height, channels: CHANNELS, depth: 8 };
  return {
    ...shape,
    readRows: (y, count) => {
      const context = new OffscreenCanvas(width, count).getContext('2d', { willReadFrequently: true });
      if (!context) throw new Error('this browser has no canvas for workers');
      context.drawImage(picture, 0, -y);
      const { data } = context.getImageData(0, 0, width, count);
      return new Uint8Array(data.buffer);
    },
  };
}
