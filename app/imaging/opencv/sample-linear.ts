import { maxSample } from '../image.ts';
import type { RowSource } from '../rows.ts';

/** Where a pixel of the result lies between two of the source. */
interface Place {
  readonly first: number;
  readonly second: number;
  /** Share of the second. */
  readonly share: number;
}

/**
 * Resizes to floats of 0..1, interleaved, as `cv2.resize` does floats with INTER_LINEAR: between the two nearest pixels, also
 * where that skips some, centres of pixels aligned, the last pixel going on beyond the edge.
 */
export function sampleLinear(source: RowSource, width: number, height: number): Float32Array {
  const { channels } = source;
  const limit = maxSample(source.depth);
  const columns = places(source.width, width);
  const sampled = new Float32Array(width * height * channels);
  let at = 0;
  for (const { first: top, second: bottom, share: down } of places(source.height, height)) {
    const rows = source.readRows(top, bottom - top + 1);
    const below = (bottom - top) * source.width * channels;
    for (const { first: left, second: right, share: across } of columns) {
      for (let channel = 0; channel < channels; channel++) {
        const [a, b] = [left * channels + channel, right * channels + channel];
        const upper = mix((rows[a] ?? 0) / limit, (rows[b] ?? 0) / limit, across);
        const lower = mix((rows[below + a] ?? 0) / limit, (rows[below + b] ?? 0) / limit, across);
        sampled[at++] = mix(upper, lower, down);
      }
    }
  }
  return sampled;
}

function places(from: number, to: number): Place[] {
  return Array.from({ length: to }, (_, index) => {
    const centre = Math.max(0, Math.min(((index + 0.5) * from) / to - 0.5, from - 1));
    const first = Math.floor(centre);
    return { first, second: Math.min(first + 1, from - 1), share: centre - first };
  });
}

function mix(a: number, b: number, shareOfB: number): number {
  return a + (b - a) * shareOfB;
}
