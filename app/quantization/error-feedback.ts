import { LAGS } from './moments.ts';

/** Taps of the kernels that take part: 3x3, in C order. */
export const TAPS = 9;

/** Of the variance: without it the feedback would follow the pictures that calibrated in all that they have by chance. */
const DAMPING = 0.01;

/**
 * How errors of rounding make up for each other. Neighbouring pixels are much alike, so that errors of opposite sign in neighbouring
 * taps nearly cancel; what is left of a constant one, the bias takes.
 */
export interface ErrorFeedback {
  /** What the convolution reads on average, by channel, in that channel's scale. */
  readonly means: Float64Array;
  /** [9, 9]: what tap `row` takes over of the error of tap `column`, which was rounded before it; 0 on and left of the diagonal. */
  readonly taps: Float64Array;
}

/**
 * Of values whose pixels are correlated as given: with `L L^T` the correlations of the taps, tap i takes over
 * `L[j, i] / L[i, i]` of the error of every later one (Babai's nearest plane, which GPTQ is a form of: Frantar et al., 2023).
 * @param correlations at `LAGS`
 */
export function errorFeedback(means: Float64Array, correlations: ArrayLike<number>): ErrorFeedback {
  const matrix = Float64Array.from({ length: TAPS ** 2 }, (_, at) => {
    const [row, column] = [Math.floor(at / TAPS), at % TAPS];
    return row === column ? 1 + DAMPING : (correlations[lagOf(row, column)] ?? 0);
  });
  const lower = cholesky(matrix);
  const taps = lower.map((_, at) => {
    const [row, column] = [Math.floor(at / TAPS), at % TAPS];
    return column > row ? (lower[column * TAPS + row] ?? 0) / (lower[row * TAPS + row] ?? 1) : 0;
  });
  return { means, taps };
}

function lagOf(from: number, to: number): number {
  const [down, across] = [Math.floor(to / 3) - Math.floor(from / 3), (to % 3) - (from % 3)];
  const sign = down < 0 || (down === 0 && across < 0) ? -1 : 1;
  return LAGS.findIndex(([y, x]) => y === sign * down && x === sign * across);
}

/** The lower triangle L of `L L^T`, [9, 9]. What is no sum of squares, by rounding or by a file's fault, counts as independent. */
function cholesky(matrix: Float64Array): Float64Array {
  const lower = new Float64Array(TAPS ** 2);
  for (let row = 0; row < TAPS; row++) {
    for (let column = 0; column <= row; column++) {
      let sum = matrix[row * TAPS + column] ?? 0;
      for (let k = 0; k < column; k++) sum -= (lower[row * TAPS + k] ?? 0) * (lower[column * TAPS + k] ?? 0);
      const pivot = lower[column * TAPS + column] ?? 1;
      lower[row * TAPS + column] = row === column ? Math.sqrt(Math.max(sum, DAMPING)) : sum / pivot;
    }
  }
  return lower;
}
