import type { ComparedPair } from './compared-samples.ts';
import { DATA_RANGE } from './compared-samples.ts';
import { NotComparableError } from './errors.ts';

/** Side of the window, in pixels. */
const WINDOW = 7;
const PIXELS = WINDOW ** 2;
/** Of a sample, not of a population. */
const SAMPLE_NORM = PIXELS / (PIXELS - 1);
const C1 = (0.01 * DATA_RANGE) ** 2;
const C2 = (0.03 * DATA_RANGE) ** 2;

/**
 * Structural similarity, -1..1, as scikit-image's `structural_similarity` by default: uniform windows of 7x7 that lie within the
 * image, sample covariance, the mean over windows and then over channels (Wang et al., 2004).
 * @throws NotComparableError for images smaller than a window
 */
export function ssim({ reference, candidate }: ComparedPair): number {
  const { width, height, channels } = reference;
  if (Math.min(width, height) < WINDOW) {
    throw new NotComparableError(`SSIM needs at least ${WINDOW}x${WINDOW} pixels, got ${width}x${height}`);
  }
  let sum = 0;
  for (let channel = 0; channel < channels; channel++) sum += channelSsim({ reference, candidate }, channel);
  return sum / channels;
}

function channelSsim({ reference, candidate }: ComparedPair, channel: number): number {
  const { width, height } = reference;
  const columns = new ColumnSums(width);
  let sum = 0;
  for (let y = 0; y < height; y++) {
    const slot = columns.slotOf(y);
    reference.readRow(y, channel, slot.a);
    candidate.readRow(y, channel, slot.b);
    columns.addUp();
    if (y >= WINDOW - 1) sum += columns.rowSum();
  }
  return sum / ((width - WINDOW + 1) * (height - WINDOW + 1));
}

/** One row of both images. */
interface RowPair {
  readonly a: Float64Array;
  readonly b: Float64Array;
}

/** The last seven rows of both images, and their sums by column. */
class ColumnSums {
  readonly #rows: readonly RowPair[];
  readonly #a: Float64Array;
  readonly #b: Float64Array;
  readonly #aa: Float64Array;
  readonly #bb: Float64Array;
  readonly #ab: Float64Array;

  constructor(width: number) {
    const row = (): Float64Array => new Float64Array(width);
    this.#rows = Array.from({ length: WINDOW }, () => ({ a: row(), b: row() }));
    [this.#a, this.#b, this.#aa, this.#bb, this.#ab] = [row(), row(), row(), row(), row()];
  }

  /** Where row `y` goes; it replaces the one seven above. */
  slotOf(y: number): RowPair {
    const slot = this.#rows[y % WINDOW];
    if (!slot) throw new RangeError(`row ${y} is none`);
    return slot;
  }

  /** Summed anew for every row: sums that are kept and corrected drift. */
  addUp(): void {
    for (const sums of [this.#a, this.#b, this.#aa, this.#bb, this.#ab]) sums.fill(0);
    for (const { a, b } of this.#rows) this.#addRow(a, b);
  }

  /** The similarity of every window that ends in the last row, added up. */
  rowSum(): number {
    let total = 0;
    for (let x = 0; x + WINDOW <= this.#a.length; x++) total += this.#windowAt(x);
    return total;
  }

  #addRow(a: Float64Array, b: Float64Array): void {
    const [sumA, sumB, sumAA, sumBB, sumAB] = [this.#a, this.#b, this.#aa, this.#bb, this.#ab];
    for (let x = 0; x < a.length; x++) {
      const left = a[x] ?? 0;
      const right = b[x] ?? 0;
      sumA[x] = (sumA[x] ?? 0) + left;
      sumB[x] = (sumB[x] ?? 0) + right;
      sumAA[x] = (sumAA[x] ?? 0) + left * left;
      sumBB[x] = (sumBB[x] ?? 0) + right * right;
      sumAB[x] = (sumAB[x] ?? 0) + left * right;
    }
  }

  #windowAt(x: number): number {
    let [a, b, aa, bb, ab] = [0, 0, 0, 0, 0];
    for (let i = x; i < x + WINDOW; i++) {
      a += this.#a[i] ?? 0;
      b += this.#b[i] ?? 0;
      aa += this.#aa[i] ?? 0;
      bb += this.#bb[i] ?? 0;
      ab += this.#ab[i] ?? 0;
    }
    const [meanA, meanB] = [a / PIXELS, b / PIXELS];
    const varianceA = SAMPLE_NORM * (aa / PIXELS - meanA * meanA);
    const varianceB = SAMPLE_NORM * (bb / PIXELS - meanB * meanB);
    const covariance = SAMPLE_NORM * (ab / PIXELS - meanA * meanB);
    const luminance = (2 * meanA * meanB + C1) / (meanA ** 2 + meanB ** 2 + C1);
    return (luminance * (2 * covariance + C2)) / (varianceA + varianceB + C2);
  }
}
