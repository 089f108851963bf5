/** Rows and columns between two taps of a 3x3 kernel, the tap itself first; the other pairs are these in the other direction. */
export const LAGS: readonly (readonly [down: number, across: number])[] = [
  [0, 0],
  [0, 1],
  [0, 2],
  ...[1, 2].flatMap((down) => [-2, -1, 0, 1, 2].map((across) => [down, across] as const)),
];

/** Means over the pixels of a picture, of the values that convolutions read. */
export interface PixelMeans {
  /** By channel [C]. */
  readonly values: Float32Array;
  /** By channel, of the products of pixels that lie `LAGS` apart: [LAGS, C]. */
  readonly products: Float32Array;
}

/** What values are on average, and how alike near ones are, over all the pictures that were seen; each picture counts the same. */
export class Moments {
  #pictures = 0;
  readonly #values: Float64Array;
  readonly #products: Float64Array;

  constructor(channels: number) {
    this.#values = new Float64Array(channels);
    this.#products = new Float64Array(LAGS.length * channels);
  }

  /** Adds those of another picture. */
  add({ values, products }: PixelMeans): void {
    this.#pictures++;
    addTo(this.#values, values);
    addTo(this.#products, products);
  }

  /** By channel. */
  means(): Float64Array {
    return this.#values.map((sum) => sum / Math.max(this.#pictures, 1));
  }

  /**
   * How much values that lie `LAGS` apart vary together, all channels taken together, each counted in its scale; 1 at no distance.
   * Of values that never vary, 0 elsewhere.
   */
  correlations(scales: Float64Array): Float64Array {
    const means = this.means();
    const sums = LAGS.map((_, lag) =>
      means.reduce((sum, mean, channel) => {
        const product = (this.#products[lag * means.length + channel] ?? 0) / Math.max(this.#pictures, 1);
        return sum + (product - mean ** 2) / (scales[channel] ?? 1) ** 2;
      }, 0),
    );
    const [variance = 0] = sums;
    return Float64Array.from(sums, (sum, lag) => (variance > 0 ? sum / variance : lag === 0 ? 1 : 0));
  }
}

function addTo(sums: Float64Array, more: Float32Array): void {
  for (let at = 0; at < sums.length; at++) sums[at] = (sums[at] ?? 0) + (more[at] ?? 0);
}
