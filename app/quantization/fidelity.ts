/** How near an int8 form comes to float32, over crops that did not calibrate it. */
export interface Fidelity {
  readonly crops: number;
  /** Peak signal-to-noise ratio of the 8-bit results, in dB: the mean over the crops, and the worst. */
  readonly psnr_mean: number;
  readonly psnr_worst: number;
  /** Of any sample, in levels of 255. */
  readonly largest_difference: number;
}

/** What `auto` asks of an int8 form: below this, the difference could be seen. */
export const GATE = { psnr_mean: 48, psnr_worst: 45, largest_difference: 16 } as const;

/** PSNR in dB that equal crops count as: theirs would be infinite. */
const EQUAL_DB = 100;

/** Compares results with what float32 made of the same crops: 8-bit samples, pair by pair. */
export function fidelityOf(pairs: readonly (readonly [float32: Uint8Array, int8: Uint8Array])[]): Fidelity {
  const crops = pairs.map(([a, b]) => {
    let [sum, largest] = [0, 0];
    for (let at = 0; at < a.length; at++) {
      const difference = Math.abs((a[at] ?? 0) - (b[at] ?? 0));
      sum += difference ** 2;
      largest = Math.max(largest, difference);
    }
    return { psnr: sum === 0 ? EQUAL_DB : 10 * Math.log10(255 ** 2 / (sum / a.length)), largest };
  });
  const ratios = crops.map(({ psnr }) => psnr);
  return {
    crops: crops.length,
    psnr_mean: rounded(ratios.reduce((sum, psnr) => sum + psnr, 0) / crops.length),
    psnr_worst: rounded(Math.min(...ratios)),
    largest_difference: Math.max(...crops.map(({ largest }) => largest)),
  };
}

export function passesGate({ psnr_mean, psnr_worst, largest_difference }: Fidelity): boolean {
  const isNear = psnr_mean >= GATE.psnr_mean && psnr_worst >= GATE.psnr_worst;
  return isNear && largest_difference <= GATE.largest_difference;
}

/** The figures in a sentence's words. */
export function inWords({ crops, psnr_mean, psnr_worst, largest_difference }: Fidelity): string {
  return `${psnr_mean.toFixed(1)} dB against fp32 (worst of ${crops} crops ${psnr_worst.toFixed(1)} dB, largest difference ${largest_difference} levels)`;
}

function rounded(decibels: number): number {
  return Math.round(decibels * 100) / 100;
}
