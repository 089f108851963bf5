import type { Image } from '../../../app/imaging/image.ts';
import { allocateSamples, maxSample } from '../../../app/imaging/image.ts';
import { sinc } from '../../../app/imaging/sinc.ts';

/** A curve between samples: `weight` of a sample at a distance in pixels, 0 from `support` on. */
interface Curve {
  readonly support: number;
  weight(distance: number): number;
}

/** What the references of some goldens enlarged their background with. */
const CURVES = {
  cubic: {
    support: 2,
    weight(distance) {
      const [a, x] = [-0.75, Math.abs(distance)];
      return x < 1 ? (a + 2) * x ** 3 - (a + 3) * x ** 2 + 1 : a * (x ** 3 - 5 * x ** 2 + 8 * x - 4);
    },
  },
  /** A sine windowed by a sine four pixels wide, over eight samples. */
  lanczos4: { support: 4, weight: (distance) => sinc(distance) * sinc(distance / 4) },
} satisfies Readonly<Record<string, Curve>>;

/**
 * Resizes as `cv2.resize` with INTER_CUBIC or INTER_LANCZOS4: a curve through the samples; beyond the edge the last pixel goes on. Within one
 * level of OpenCV, whose weights have 11 bits.
 */
export function curveResize(image: Image, width: number, height: number, curve: keyof typeof CURVES): Image {
  const { channels, depth } = image;
  const data = allocateSamples(depth, width * height * channels);
  const columns = tapsOf(image.width, width, CURVES[curve]);
  const rows = tapsOf(image.height, height, CURVES[curve]);
  const length = width * channels;
  const across = Array.from({ length: image.height }, (_, y) => {
    const row = new Float64Array(length);
    columns.forEach((taps, x) => {
      for (const [place, weight] of taps) {
        const from = (y * image.width + place) * channels;
        for (let c = 0; c < channels; c++) addAt(row, x * channels + c, weight * (image.data[from + c] ?? 0));
      }
    });
    return row;
  });
  rows.forEach((taps, y) => {
    const row = new Float64Array(length).fill(0.5);
    for (const [place, weight] of taps) across[place]?.forEach((value, i) => addAt(row, i, weight * value));
    row.forEach((value, i) => (data[y * length + i] = Math.max(0, Math.min(value, maxSample(depth)))));
  });
  return { width, height, channels, depth, data };
}

/** For every sample of the result those that it is made of, with their shares. */
function tapsOf(from: number, to: number, curve: Curve): [place: number, weight: number][][] {
  return Array.from({ length: to }, (_, index) => {
    const centre = ((index + 0.5) * from) / to - 0.5;
    const first = Math.floor(centre) - curve.support + 1;
    const weights = Array.from({ length: 2 * curve.support }, (_, i) => curve.weight(centre - first - i));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return weights.map((weight, i) => [Math.max(0, Math.min(first + i, from - 1)), weight / sum]);
  });
}

function addAt(sums: Float64Array, place: number, value: number): void {
  sums[place] = (sums[place] ?? 0) + value;
}
