import type { EnlargingHead } from './enlarging-head.ts';
import { valuesRead } from './enlarging-head.ts';
import type { ByteForm } from './head-bytes.ts';
import { BOTTOM, gainOf, MIDDLE, reachOf, squaredError } from './head-bytes.ts';
import type { Moments } from './moments.ts';
import { shortened } from './short-numbers.ts';

/** How a value that a convolution of the head reads is written in bytes, and what rounding that convolution's weights needs to know of it. */
export interface HeadValueRecipe {
  /** The byte that stands for nothing before the leaky ReLU; 0 where a channel has two bytes, for above and below zero. */
  readonly zero: number;
  /** What a step before the leaky ReLU stands for, by channel; twice as many where a channel has two bytes: those above, those below. */
  readonly scales: readonly number[];
  /** Of the bytes behind it, in steps from what stands for nothing. */
  readonly means: readonly number[];
  /** How much pixels that lie `LAGS` apart vary together, 1 at no distance. */
  readonly correlations: readonly number[];
}

/** In the order in which they are read: the head's input, and what each convolution but the last makes. */
export type HeadRecipe = readonly HeadValueRecipe[];

/** What was seen of a head's values, in all the pictures that calibrate. */
export interface SeenHead {
  readonly head: EnlargingHead;
  /** Some numbers of what comes in and of what each convolution makes, before its leaky ReLU, by channel. */
  readonly samples: ReadonlyMap<string, readonly Float32Array[]>;
  /** Of what the convolutions read. */
  readonly moments: ReadonlyMap<string, Moments>;
}

/** Where nothing may stand in a byte; where more than half of it is below, a leaky ReLU loses less of what is there. */
const ZEROS = [MIDDLE, 192] as const;
/** Shares of the largest number that was seen: what is beyond is cut off, where that costs less than coarser steps do. */
const REACHES = [1.05, 1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.25, 0.2, 0.15, 0.1] as const;
/** The smallest scale of a channel, as a share of the largest: channels that calibration never moved may move. */
const MIN_SHARE = 0.005;
const MIN_SCALE = 1e-8;

/**
 * The bytes by which every value comes out with the least squared error behind its activation. What the last convolution reads is nearly
 * the picture, and in flat areas half a level is seen: there each side of zero has a byte of its own.
 */
export function headRecipe({ head, samples, moments }: SeenHead): HeadRecipe {
  const written = [
    bytesAround(samples.get(head.input) ?? [], [{ zero: MIDDLE, slope: 1 }]),
    ...head.convs.map(({ output, slope }, index) => {
      const seen = samples.get(output) ?? [];
      if (index === head.convs.length - 1) return twoBytes(seen);
      return bytesAround(
        seen,
        ZEROS.map((zero) => ({ zero, slope })),
      );
    }),
  ];
  const read = valuesRead(head);
  return written.map(({ zero, scales, means }, index) => {
    const own = moments.get(read[index] ?? '');
    const steps = Float64Array.from(own?.means() ?? [], (_, channel) => scales[channel] ?? 1);
    return {
      zero,
      scales: shortened(scales),
      means: shortened(means),
      correlations: shortened(own?.correlations(steps) ?? []),
    };
  });
}

type Written = Omit<HeadValueRecipe, 'correlations'>;

/** One byte a channel, in the form that most channels lose least by. */
function bytesAround(channels: readonly Float32Array[], forms: readonly ByteForm[]): Written {
  const [first, ...others] = forms.map((form) => ({ form, fitted: leastErrorScales(channels, form) }));
  if (!first) throw new RangeError('no form of bytes');
  const best = others.reduce((kept, other) => {
    const shares = kept.fitted.map(({ error }, channel) => {
      const otherError = other.fitted[channel]?.error ?? 0;
      return error + otherError > 0 ? otherError / (error + otherError) : 0.5;
    });
    return meanOf(shares) < 0.5 ? other : kept;
  }, first);
  const { form, fitted } = best;
  const { slope } = form;
  const means = channels.map((samples, channel) => {
    const made = samples.map((value) => (value > 0 ? value : slope * value));
    return (meanOf(made) * gainOf(form)) / (fitted[channel]?.scale ?? 1);
  });
  return { zero: form.zero, scales: fitted.map(({ scale }) => scale), means };
}

function twoBytes(channels: readonly Float32Array[]): Written {
  const above = channels.map((samples) => samples.map((value) => Math.max(value, 0)));
  const below = channels.map((samples) => samples.map((value) => Math.max(-value, 0)));
  const sides = [above, below].map((side) => {
    const scales = leastErrorScales(side, { zero: BOTTOM, slope: 1 }).map(({ scale }) => scale);
    return { scales, means: side.map((samples, channel) => meanOf(samples) / (scales[channel] ?? 1)) };
  });
  return { zero: BOTTOM, scales: sides.flatMap(({ scales }) => scales), means: sides.flatMap(({ means }) => means) };
}

interface Fitted {
  readonly scale: number;
  readonly error: number;
}

function leastErrorScales(channels: readonly Float32Array[], form: ByteForm): Fitted[] {
  const fitted = channels.map((samples) => {
    const most = Math.max(reachOf(samples, form), MIN_SCALE);
    const tried = REACHES.map((share) => ({ scale: most * share, error: squaredError(samples, most * share, form) }));
    return tried.reduce((best, one) => (one.error < best.error ? one : best));
  });
  const least = MIN_SHARE * Math.max(...fitted.map(({ scale }) => scale));
  return fitted.map(({ scale, error }) => ({ scale: Math.max(scale, least), error }));
}

function meanOf(numbers: readonly number[] | Float32Array): number {
  let sum = 0;
  for (const number of numbers) sum += number;
  return sum / Math.max(numbers.length, 1);
}
