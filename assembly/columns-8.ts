import { Columns } from './columns';
import { HALF, clipped, joined } from './fixed-point';

// Four rows are weighed at a time, so that weights are loaded once for them. With fewer left, the last row stands for those that
// there are not. What is read past a window has a weight of 0; it goes up to 15 bytes past the end of a row.

/** A pixel, for its size. */
@unmanaged
class Rgb {
  r: u8;
  g: u8;
  b: u8;
}

@unmanaged
class Rgba {
  r: u8;
  g: u8;
  b: u8;
  a: u8;
}

export function weighColumnsRgb8(columns: Columns, source: usize, target: usize, rows: i32): void {
  weighColor<Rgb>(columns, source, target, rows);
}

export function weighColumnsRgba8(columns: Columns, source: usize, target: usize, rows: i32): void {
  weighColor<Rgba>(columns, source, target, rows);
}

/** Two columns at a time; a register holds the sums of a pixel. */
function weighColor<Pixel>(columns: Columns, source: usize, target: usize, rows: i32): void {
  const size = offsetof<Pixel>() as i32;
  const sourceLength = columns.sourceLength;
  const targetLength = columns.targetLength;
  const outputs = columns.outputs;
  for (let y: i32 = 0; y < rows; y += 4) {
    const sa = source + y * sourceLength;
    const sb = source + min(y + 1, rows - 1) * sourceLength;
    const sc = source + min(y + 2, rows - 1) * sourceLength;
    const sd = source + min(y + 3, rows - 1) * sourceLength;
    const ta = target + y * targetLength;
    const tb = target + min(y + 1, rows - 1) * targetLength;
    const tc = target + min(y + 2, rows - 1) * targetLength;
    const td = target + min(y + 3, rows - 1) * targetLength;
    let weight = columns.weights;
    const upward = columns.highs - weight;
    let window = columns.windows;
    for (let x: i32 = 0; x < outputs; x++) {
      let la = i32x4.splat(HALF);
      let lb = la;
      let lc = la;
      let ld = la;
      let ha = i32x4.splat(0);
      let hb = ha;
      let hc = ha;
      let hd = ha;
      let at = load<i32>(window) * size;
      const taps = load<i32>(window, 4);
      for (let tap: i32 = 0; tap < taps; tap += 2) {
        const low = v128.load32_splat(weight + (tap << 1));
        const high = v128.load32_splat(weight + upward + (tap << 1));
        const a = pairOf<Pixel>(sa + at);
        const b = pairOf<Pixel>(sb + at);
        const c = pairOf<Pixel>(sc + at);
        const d = pairOf<Pixel>(sd + at);
        la = i32x4.add(la, i32x4.dot_i16x8_s(a, low));
        ha = i32x4.add(ha, i32x4.dot_i16x8_s(a, high));
        lb = i32x4.add(lb, i32x4.dot_i16x8_s(b, low));
        hb = i32x4.add(hb, i32x4.dot_i16x8_s(b, high));
        lc = i32x4.add(lc, i32x4.dot_i16x8_s(c, low));
        hc = i32x4.add(hc, i32x4.dot_i16x8_s(c, high));
        ld = i32x4.add(ld, i32x4.dot_i16x8_s(d, low));
        hd = i32x4.add(hd, i32x4.dot_i16x8_s(d, high));
        at += 2 * size;
      }
      const pixels = clipped(joined(la, ha), joined(lb, hb), joined(lc, hc), joined(ld, hd));
      const to = x * size;
      if (size === 4 || x + 1 < outputs) {
        // Of three channels the fourth byte is the next pixel's, which is written next.
        v128.store32_lane(ta + to, pixels, 0);
        v128.store32_lane(tb + to, pixels, 1);
        v128.store32_lane(tc + to, pixels, 2);
        v128.store32_lane(td + to, pixels, 3);
      } else {
        storeThree(ta + to, i32x4.extract_lane(pixels, 0));
        storeThree(tb + to, i32x4.extract_lane(pixels, 1));
        storeThree(tc + to, i32x4.extract_lane(pixels, 2));
        storeThree(td + to, i32x4.extract_lane(pixels, 3));
      }
      weight += columns.stride;
      window += 8;
    }
  }
}

/** Two pixels, 16 bits a sample, one channel after another. */
function pairOf<Pixel>(at: usize): v128 {
  const bytes = v128.load64_zero(at);
  return offsetof<Pixel>() === 3
    ? i8x16.swizzle(bytes, i8x16(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1))
    : i8x16.swizzle(bytes, i8x16(0, -1, 4, -1, 1, -1, 5, -1, 2, -1, 6, -1, 3, -1, 7, -1));
}

function storeThree(at: usize, bytes: i32): void {
  store<u16>(at, bytes);
  store<u8>(at, bytes >> 16, 2);
}

/** Four columns at a time; a register holds the sums of the even and of the odd pair of them, for both channels. */
export function weighColumnsGrayAlpha8(columns: Columns, source: usize, target: usize, rows: i32): void {
  const sourceLength = columns.sourceLength;
  const targetLength = columns.targetLength;
  for (let y: i32 = 0; y < rows; y += 2) {
    const sa = source + y * sourceLength;
    const sb = source + min(y + 1, rows - 1) * sourceLength;
    const ta = target + y * targetLength;
    const tb = target + min(y + 1, rows - 1) * targetLength;
    let weight = columns.weights;
    const upward = columns.highs - weight;
    let window = columns.windows;
    for (let x: i32 = 0; x < columns.outputs; x++) {
      let la = i32x4.splat(0);
      let lb = la;
      let ha = la;
      let hb = la;
      let at = load<i32>(window) << 1;
      const taps = load<i32>(window, 4);
      for (let tap: i32 = 0; tap < taps; tap += 4) {
        const low = twice(v128.load64_zero(weight + (tap << 1)));
        const high = twice(v128.load64_zero(weight + upward + (tap << 1)));
        const a = grayAlphas(sa + at);
        const b = grayAlphas(sb + at);
        la = i32x4.add(la, i32x4.dot_i16x8_s(a, low));
        ha = i32x4.add(ha, i32x4.dot_i16x8_s(a, high));
        lb = i32x4.add(lb, i32x4.dot_i16x8_s(b, low));
        hb = i32x4.add(hb, i32x4.dot_i16x8_s(b, high));
        at += 8;
      }
      const sums = i32x4.add(i32x4.splat(HALF), halvesAdded(joined(la, ha), joined(lb, hb)));
      const pixels = clipped(sums, sums, sums, sums);
      v128.store16_lane(ta + (x << 1), pixels, 0);
      v128.store16_lane(tb + (x << 1), pixels, 1);
      weight += columns.stride;
      window += 8;
    }
  }
}

/** The first two pairs of weights, each for two channels. */
function twice(weights: v128): v128 {
  return v128.shuffle<i32>(weights, weights, 0, 0, 1, 1);
}

/** Four pixels, two by two as `pairOf` has them. */
function grayAlphas(at: usize): v128 {
  return i8x16.swizzle(v128.load64_zero(at), i8x16(0, -1, 2, -1, 1, -1, 3, -1, 4, -1, 6, -1, 5, -1, 7, -1));
}

/** Of two registers, in each the lower and the upper half added. */
function halvesAdded(a: v128, b: v128): v128 {
  return i32x4.add(v128.shuffle<i64>(a, b, 0, 2), v128.shuffle<i64>(a, b, 1, 3));
}

/** Eight columns at a time; a register holds the sums of four pairs of them, and in the end those of four rows. */
export function weighColumnsGray8(columns: Columns, source: usize, target: usize, rows: i32): void {
  const sourceLength = columns.sourceLength;
  const targetLength = columns.targetLength;
  for (let y: i32 = 0; y < rows; y += 4) {
    const sa = source + y * sourceLength;
    const sb = source + min(y + 1, rows - 1) * sourceLength;
    const sc = source + min(y + 2, rows - 1) * sourceLength;
    const sd = source + min(y + 3, rows - 1) * sourceLength;
    const ta = target + y * targetLength;
    const tb = target + min(y + 1, rows - 1) * targetLength;
    const tc = target + min(y + 2, rows - 1) * targetLength;
    const td = target + min(y + 3, rows - 1) * targetLength;
    let weight = columns.weights;
    const upward = columns.highs - weight;
    let window = columns.windows;
    for (let x: i32 = 0; x < columns.outputs; x++) {
      let la = i32x4.splat(0);
      let lb = la;
      let lc = la;
      let ld = la;
      let ha = la;
      let hb = la;
      let hc = la;
      let hd = la;
      let at = load<i32>(window);
      const taps = load<i32>(window, 4);
      for (let tap: i32 = 0; tap < taps; tap += 8) {
        const low = v128.load(weight + (tap << 1));
        const high = v128.load(weight + upward + (tap << 1));
        const a = v128.load8x8_u(sa + at);
        const b = v128.load8x8_u(sb + at);
        const c = v128.load8x8_u(sc + at);
        const d = v128.load8x8_u(sd + at);
        la = i32x4.add(la, i32x4.dot_i16x8_s(a, low));
        ha = i32x4.add(ha, i32x4.dot_i16x8_s(a, high));
        lb = i32x4.add(lb, i32x4.dot_i16x8_s(b, low));
        hb = i32x4.add(hb, i32x4.dot_i16x8_s(b, high));
        lc = i32x4.add(lc, i32x4.dot_i16x8_s(c, low));
        hc = i32x4.add(hc, i32x4.dot_i16x8_s(c, high));
        ld = i32x4.add(ld, i32x4.dot_i16x8_s(d, low));
        hd = i32x4.add(hd, i32x4.dot_i16x8_s(d, high));
        at += 8;
      }
      const ab = halvesAdded(joined(la, ha), joined(lb, hb));
      const cd = halvesAdded(joined(lc, hc), joined(ld, hd));
      const sums = i32x4.add(v128.shuffle<i32>(ab, cd, 0, 2, 4, 6), v128.shuffle<i32>(ab, cd, 1, 3, 5, 7));
      const rounded = i32x4.add(i32x4.splat(HALF), sums);
      const samples = clipped(rounded, rounded, rounded, rounded);
      v128.store8_lane(ta + x, samples, 0);
      v128.store8_lane(tb + x, samples, 1);
      v128.store8_lane(tc + x, samples, 2);
      v128.store8_lane(td + x, samples, 3);
      weight += columns.stride;
      window += 8;
    }
  }
}
