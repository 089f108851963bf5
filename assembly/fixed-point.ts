/** Fractional bits of an 8-bit weight, as in the windows that the weights come from. */
const FRACTION_BITS: i32 = 22;

/** What a sum begins with, so that cutting its fraction off rounds it. */
export const HALF: i32 = 1 << (FRACTION_BITS - 1);

/**
 * Four sums of products with whole weights, from the sums with their lower and with their upper 16 bits. `dot_i16x8_s`, which made
 * those, takes no wider weights. Exact modulo 2 ** 32, as the products with whole weights are.
 */
export function joined(lows: v128, highs: v128): v128 {
  return i32x4.add(lows, i32x4.shl(highs, 16));
}

/** Sixteen sums as samples: the fraction cut off, the rest clipped to 0..255. */
export function clipped(a: v128, b: v128, c: v128, d: v128): v128 {
  return i8x16.narrow_i16x8_u(whole(a, b), whole(c, d));
}

/** Eight sums as 16-bit integers without a fraction, which nothing that a window weighs leaves the range of. */
function whole(a: v128, b: v128): v128 {
  return i16x8.narrow_i32x4_s(i32x4.shr_s(a, FRACTION_BITS), i32x4.shr_s(b, FRACTION_BITS));
}
