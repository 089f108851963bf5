/** The byte that stands for nothing in what convolutions read: in the middle, or at the bottom where each side of zero has its own. */
export const [MIDDLE, BOTTOM] = [128, 0] as const;
const BYTES = 256;

/**
 * How numbers of a channel become a byte, in steps around `zero`, and that byte another behind a leaky ReLU, around `MIDDLE`.
 * With `zero` at the bottom there are two bytes, one for what is above zero and one for what is below, each cut off at zero as a ReLU does it.
 */
export interface ByteForm {
  readonly zero: number;
  /** Of the leaky ReLU; 1 where there is none. */
  readonly slope: number;
}

/**
 * Steps of the byte behind the leaky ReLU for one of that before it. Where there is more room below zero than above, the steps above are
 * spread over the whole upper half, and those below, which become small, keep more of their own.
 */
export function gainOf({ zero }: Pick<ByteForm, 'zero'>): number {
  return zero === BOTTOM ? 1 : MIDDLE / (BYTES - zero);
}

/** The scale by which no number of `samples` would be cut off. */
export function reachOf(samples: Float32Array, { zero }: ByteForm): number {
  const most = BYTES - 1 - zero;
  return samples.reduce((reach, value) => Math.max(reach, value < 0 && zero > 0 ? -value / zero : value / most), 0);
}

/** The mean squared error of numbers behind the leaky ReLU. @param scale what a step before it stands for */
export function squaredError(samples: Float32Array, scale: number, form: ByteForm): number {
  const gain = gainOf(form);
  const [least, most] = [-form.zero, BYTES - 1 - form.zero];
  let sum = 0;
  for (const value of samples) {
    const steps = Math.min(most, Math.max(least, Math.round(value / scale)));
    const made = Math.round(gain * (steps > 0 ? steps : form.slope * steps));
    sum += ((made * scale) / gain - (value > 0 ? value : form.slope * value)) ** 2;
  }
  return sum / Math.max(samples.length, 1);
}
