import { HALF, clipped, joined } from './fixed-point';

/** Samples of a row that are summed at a time. */
const BLOCK: i32 = 16;

/** The sums begin here; otherwise they go on from what lies at `sums`. */
const BEGINS: i32 = 1;
/** The sums end here and become samples at `target`; otherwise they are left at `sums`. */
const ENDS: i32 = 2;

/**
 * Weighs rows that lie one under another, two at a time, the sums in registers. Works by blocks: what is read may be so up to 15
 * samples past its end, and what is written is.
 *
 * @param length bytes in a row
 * @param lows the lower 16 bits of the rows' weights
 * @param highs the upper 16 bits likewise
 * @param sums `length` of them, 32 bits each
 * @param reach `BEGINS` and `ENDS`, added
 */
export function weighRows8(
  rows: usize,
  length: i32,
  lows: usize,
  highs: usize,
  taps: i32,
  sums: usize,
  target: usize,
  reach: i32,
): void {
  for (let i: i32 = 0; i < length; i += BLOCK) {
    let la = i32x4.splat(reach & BEGINS ? HALF : 0);
    let lb = la;
    let lc = la;
    let ld = la;
    let ha = i32x4.splat(0);
    let hb = ha;
    let hc = ha;
    let hd = ha;
    let row = rows + i;
    for (let tap: i32 = 0; tap < taps; tap += 2) {
      const upper = v128.load(row);
      const lower = tap + 1 < taps ? v128.load(row + length) : i32x4.splat(0);
      row += length << 1;
      const low = v128.load32_splat(lows + (tap << 1));
      const high = v128.load32_splat(highs + (tap << 1));
      const left = i8x16.shuffle(upper, lower, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      const right = i8x16.shuffle(upper, lower, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
      const a = i16x8.extend_low_i8x16_u(left);
      const b = i16x8.extend_high_i8x16_u(left);
      const c = i16x8.extend_low_i8x16_u(right);
      const d = i16x8.extend_high_i8x16_u(right);
      la = i32x4.add(la, i32x4.dot_i16x8_s(a, low));
      ha = i32x4.add(ha, i32x4.dot_i16x8_s(a, high));
      lb = i32x4.add(lb, i32x4.dot_i16x8_s(b, low));
      hb = i32x4.add(hb, i32x4.dot_i16x8_s(b, high));
      lc = i32x4.add(lc, i32x4.dot_i16x8_s(c, low));
      hc = i32x4.add(hc, i32x4.dot_i16x8_s(c, high));
      ld = i32x4.add(ld, i32x4.dot_i16x8_s(d, low));
      hd = i32x4.add(hd, i32x4.dot_i16x8_s(d, high));
    }
    la = joined(la, ha);
    lb = joined(lb, hb);
    lc = joined(lc, hc);
    ld = joined(ld, hd);
    const kept = sums + (i << 2);
    if (!(reach & BEGINS)) {
      la = i32x4.add(la, v128.load(kept));
      lb = i32x4.add(lb, v128.load(kept, 16));
      lc = i32x4.add(lc, v128.load(kept, 32));
      ld = i32x4.add(ld, v128.load(kept, 48));
    }
    if (reach & ENDS) {
      v128.store(target + i, clipped(la, lb, lc, ld));
    } else {
      v128.store(kept, la);
      v128.store(kept, lb, 16);
      v128.store(kept, lc, 32);
      v128.store(kept, ld, 48);
    }
  }
}
