/** How alike two pictures are: PSNR in dB, and SSIM, -1..1. */
export interface Likeness {
  readonly psnr: number;
  readonly ssim: number;
}

/** What two forms of a network made of the same reduced picture. */
export interface MeasuredPair {
  /** Their results against the picture before it was reduced. */
  readonly float32: Likeness;
  readonly int8: Likeness;
  /** int8's result against float32's. */
  readonly between: Likeness;
}

/**
 * What an int8 form loses, on pictures whose original is known: they were reduced, and are enlarged again by both forms. None of them
 * calibrated it. `change` is int8's figure less float32's, below zero where int8 is further from the original.
 */
export interface Fidelity {
  readonly pairs: number;
  /** In dB, of luma. */
  readonly psnr_change_mean: number;
  readonly psnr_change_worst: number;
  readonly ssim_change_mean: number;
  readonly ssim_change_worst: number;
  /** int8's result against float32's: whether it is another picture. */
  readonly ssim_to_fp32_mean: number;
  readonly ssim_to_fp32_worst: number;
  readonly psnr_to_fp32_mean: number;
  /** By how many levels of 255 more than float32's the edges of tiles stand out. */
  readonly seam: number;
}

/**
 * What `auto` asks of an int8 form. Networks that were trained to invent detail (GANs) amplify any rounding, so that nearness to
 * float32 says little of what is seen: nobody tells the two apart side by side. What counts is whether int8 is as near to the truth;
 * the rest is for forms that are broken.
 */
export const GATE = {
  psnr_change_mean: -0.05,
  psnr_change_worst: -0.4,
  ssim_change_mean: -0.003,
  ssim_change_worst: -0.012,
  ssim_to_fp32_mean: 0.95,
  ssim_to_fp32_worst: 0.88,
  seam: 2,
} as const;

/** In dB; pictures that come nearer to their original than this cannot be told from it, and count as equally near. */
const NEAR_DB = 40;
/** What equal pictures count as: their PSNR would be infinite. */
const EQUAL_DB = 100;

/**
 * The figures that the gate looks at, over all measured pictures.
 * @param seam how much the edges of tiles stand out more than in float32, in levels of 255
 */
export function fidelityOf(pairs: readonly MeasuredPair[], seam: number): Fidelity {
  const psnrChanges = pairs.map(({ float32, int8 }) => Math.min(int8.psnr, NEAR_DB) - Math.min(float32.psnr, NEAR_DB));
  const ssimChanges = pairs.map(({ float32, int8 }) => int8.ssim - float32.ssim);
  const likenesses = pairs.map(({ between }) => between.ssim);
  return {
    pairs: pairs.length,
    psnr_change_mean: rounded(mean(psnrChanges), 3),
    psnr_change_worst: rounded(Math.min(...psnrChanges), 3),
    ssim_change_mean: rounded(mean(ssimChanges), 4),
    ssim_change_worst: rounded(Math.min(...ssimChanges), 4),
    ssim_to_fp32_mean: rounded(mean(likenesses), 4),
    ssim_to_fp32_worst: rounded(Math.min(...likenesses), 4),
    psnr_to_fp32_mean: rounded(mean(pairs.map(({ between }) => finite(between.psnr))), 1),
    seam: rounded(seam, 2),
  };
}

/** The figures below their bound, by name; none where a form may be used without asking. */
export function failuresOf(fidelity: Fidelity): (keyof typeof GATE)[] {
  const names = Object.keys(GATE) as (keyof typeof GATE)[];
  return names.filter((name) => !(name === 'seam' ? fidelity.seam <= GATE.seam : fidelity[name] >= GATE[name]));
}

/** Whether a form may be used without asking: all of its figures are within the gate. */
export function passesGate(fidelity: Fidelity): boolean {
  return failuresOf(fidelity).length === 0;
}

/** What `measure` says of the first form that passes the gate, or of the last. */
export async function firstThatPasses<F, M extends { readonly measured: Fidelity }>(
  [first, ...others]: readonly [F, ...F[]],
  measure: (form: F) => Promise<M>,
): Promise<M> {
  let made = await measure(first);
  for (const form of others) {
    if (passesGate(made.measured)) break;
    made = await measure(form);
  }
  return made;
}

/** The figures in words. */
export function inWords(fidelity: Fidelity): string {
  const { pairs, psnr_change_mean, psnr_change_worst, ssim_change_mean, ssim_change_worst } = fidelity;
  return [
    `on ${pairs} pictures whose original is known, int8 is ${distance(psnr_change_mean)} fp32 (worst ${signed(psnr_change_worst)} dB)`,
    `SSIM ${signed(ssim_change_mean)} (worst ${signed(ssim_change_worst)})`,
    `the two results are alike by SSIM ${fidelity.ssim_to_fp32_mean} (worst ${fidelity.ssim_to_fp32_worst}), ${fidelity.psnr_to_fp32_mean} dB`,
    `edges of tiles stand out by ${fidelity.seam} levels`,
  ].join('; ');
}

function distance(change: number): string {
  if (change === 0) return 'as near to it as';
  return `${Math.abs(change)} dB ${change > 0 ? 'nearer to' : 'further from'} it than`;
}

/** What failed, in words. */
export function failuresInWords(fidelity: Fidelity): string {
  return failuresOf(fidelity)
    .map(
      (name) =>
        `${NAMES[name]} ${fidelity[name]}, where ${name === 'seam' ? 'at most' : 'at least'} ${GATE[name]} is asked`,
    )
    .join('; ');
}

const NAMES: Readonly<Record<keyof typeof GATE, string>> = {
  psnr_change_mean: 'the change of PSNR against the original is',
  psnr_change_worst: 'its worst change of PSNR is',
  ssim_change_mean: 'the change of SSIM against the original is',
  ssim_change_worst: 'its worst change of SSIM is',
  ssim_to_fp32_mean: 'its likeness to fp32 (SSIM) is',
  ssim_to_fp32_worst: 'its worst likeness to fp32 (SSIM) is',
  seam: 'edges of tiles stand out by levels of',
};

function signed(number: number): string {
  return number > 0 ? `+${number}` : `${number}`;
}

function finite(psnr: number): number {
  return psnr === Infinity ? EQUAL_DB : psnr;
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}

function rounded(number: number, digits: number): number {
  return Number(number.toFixed(digits)) + 0; // never -0
}
