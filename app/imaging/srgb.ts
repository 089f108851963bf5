/** sRGB's transfer curve (IEC 61966-2-1): a sample of 0..1 as stored to light of 0..1. */
export function toLinear(sample: number): number {
  return sample <= 0.04045 ? sample / 12.92 : ((sample + 0.055) / 1.055) ** 2.4;
}

/** Light to a sample as stored; what is outside of 0..1 is clipped. */
export function toSrgb(light: number): number {
  if (light <= 0) return 0;
  if (light >= 1) return 1;
  return light <= 0.0031308 ? light * 12.92 : 1.055 * light ** (1 / 2.4) - 0.055;
}
