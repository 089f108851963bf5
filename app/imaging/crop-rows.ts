import type { Samples } from './image.ts';
import { allocateSamples, rowLength } from './image.ts';
import type { RowSource } from './rows.ts';

/** A rectangle of a picture, in its pixels. */
export interface Region {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A rectangle of a picture as a picture. @throws RangeError where it does not lie within it */
export function cropRows(source: RowSource, { x, y, width, height }: Region): RowSource {
  if (x < 0 || y < 0 || x + width > source.width || y + height > source.height) {
    throw new RangeError(`${width}x${height} at ${x},${y} is not within ${source.width}x${source.height}`);
  }
  const { channels, depth } = source;
  return {
    width,
    height,
    channels,
    depth,
    readRows(top, count): Samples {
      const rows = source.readRows(y + top, count);
      const cropped = allocateSamples(depth, count * width * channels);
      const stride = rowLength(source);
      for (let row = 0; row < count; row++) {
        const from = row * stride + x * channels;
        cropped.set(rows.subarray(from, from + width * channels), row * width * channels);
      }
      return cropped;
    },
  };
}
