import { Columns } from './columns';

// 16 bits a sample: sums of doubles, each product rounded before it is added and from the first to the last, as the reference has it.

/**
 * Weighs rows that lie one under another, by four samples: what is read, and what is written, may be so up to three samples past its end.
 * @param length samples in a row
 * @param sums `length` doubles, to be zeroed before the first rows of a window
 */
export function addRows16(rows: usize, length: i32, weights: usize, taps: i32, sums: usize): void {
  for (let i: i32 = 0; i < length; i += 4) {
    const kept = sums + (i << 3);
    let lower = v128.load(kept);
    let upper = v128.load(kept, 16);
    let row = rows + (i << 1);
    for (let tap: i32 = 0; tap < taps; tap++) {
      const weight = v128.load64_splat(weights + (tap << 3));
      const samples = v128.load16x4_u(row);
      lower = f64x2.add(lower, f64x2.mul(f64x2.convert_low_i32x4_s(samples), weight));
      upper = f64x2.add(upper, f64x2.mul(f64x2.convert_low_i32x4_s(upperHalf(samples)), weight));
      row += length << 1;
    }
    v128.store(kept, lower);
    v128.store(kept, upper, 16);
  }
}

/** Sums as samples, half away from zero; written by four, so up to three past the end. */
export function roundSums16(sums: usize, length: i32, target: usize): void {
  for (let i: i32 = 0; i < length; i += 4) {
    const at = sums + (i << 3);
    v128.store64_lane(target + (i << 1), rounded(v128.load(at), v128.load(at, 16)), 0);
  }
}

/** A pixel at a time, of up to four channels; what lies past its channels is summed and dropped. */
export function weighColumns16(columns: Columns, source: usize, target: usize, rows: i32): void {
  const channels = columns.targetLength / columns.outputs;
  for (let y: i32 = 0; y < rows; y++) {
    let weight = columns.weights;
    let window = columns.windows;
    let to = target + ((y * columns.targetLength) << 1);
    const from = source + ((y * columns.sourceLength) << 1);
    for (let x: i32 = 0; x < columns.outputs; x++) {
      let at = from + ((load<i32>(window) * channels) << 1);
      const taps = load<i32>(window, 4);
      let lower = f64x2.splat(0);
      let upper = lower;
      for (let tap: i32 = 0; tap < taps; tap++) {
        const factor = v128.load64_splat(weight + (tap << 3));
        const samples = v128.load16x4_u(at);
        lower = f64x2.add(lower, f64x2.mul(f64x2.convert_low_i32x4_s(samples), factor));
        if (channels > 2) upper = f64x2.add(upper, f64x2.mul(f64x2.convert_low_i32x4_s(upperHalf(samples)), factor));
        at += channels << 1;
      }
      // What is past the pixel is the next one's, which is written next: rows follow one another too.
      v128.store64_lane(to, rounded(lower, upper), 0);
      to += channels << 1;
      weight += columns.stride;
      window += 8;
    }
  }
}

/** Four columns and four rows at a time: products by columns, turned so that a register has the sums of two rows. */
export function weighColumnsGray16(columns: Columns, source: usize, target: usize, rows: i32): void {
  const sourceBytes = columns.sourceLength << 1;
  const targetBytes = columns.targetLength << 1;
  for (let y: i32 = 0; y < rows; y += 4) {
    const sa = source + y * sourceBytes;
    const sb = source + min(y + 1, rows - 1) * sourceBytes;
    const sc = source + min(y + 2, rows - 1) * sourceBytes;
    const sd = source + min(y + 3, rows - 1) * sourceBytes;
    const ta = target + y * targetBytes;
    const tb = target + min(y + 1, rows - 1) * targetBytes;
    const tc = target + min(y + 2, rows - 1) * targetBytes;
    const td = target + min(y + 3, rows - 1) * targetBytes;
    let weight = columns.weights;
    let window = columns.windows;
    for (let x: i32 = 0; x < columns.outputs; x++) {
      let at = load<i32>(window) << 1;
      const taps = load<i32>(window, 4);
      let ab = f64x2.splat(0);
      let cd = ab;
      for (let tap: i32 = 0; tap < taps; tap += 4) {
        const first = v128.load(weight + (tap << 3));
        const second = v128.load(weight + (tap << 3), 16);
        const a = v128.load16x4_u(sa + at);
        const b = v128.load16x4_u(sb + at);
        const c = v128.load16x4_u(sc + at);
        const d = v128.load16x4_u(sd + at);
        ab = twoAdded(ab, weighted(a, first), weighted(b, first));
        cd = twoAdded(cd, weighted(c, first), weighted(d, first));
        ab = twoAdded(ab, weighted(upperHalf(a), second), weighted(upperHalf(b), second));
        cd = twoAdded(cd, weighted(upperHalf(c), second), weighted(upperHalf(d), second));
        at += 8;
      }
      const samples = rounded(ab, cd);
      v128.store16_lane(ta + (x << 1), samples, 0);
      v128.store16_lane(tb + (x << 1), samples, 1);
      v128.store16_lane(tc + (x << 1), samples, 2);
      v128.store16_lane(td + (x << 1), samples, 3);
      weight += columns.stride;
      window += 8;
    }
  }
}

/** The first two samples by their weights. */
function weighted(samples: v128, weights: v128): v128 {
  return f64x2.mul(f64x2.convert_low_i32x4_s(samples), weights);
}

/** The sums of two rows and two products of each, the first before the second. */
function twoAdded(sums: v128, a: v128, b: v128): v128 {
  return f64x2.add(f64x2.add(sums, v128.shuffle<i64>(a, b, 0, 2)), v128.shuffle<i64>(a, b, 1, 3));
}

function upperHalf(samples: v128): v128 {
  return v128.shuffle<i64>(samples, samples, 1, 1);
}

/** Four sums as samples of 16 bits. */
function rounded(lower: v128, upper: v128): v128 {
  const half = f64x2.splat(0.5);
  const a = i32x4.trunc_sat_f64x2_u_zero(f64x2.add(lower, half));
  const b = i32x4.trunc_sat_f64x2_u_zero(f64x2.add(upper, half));
  const four = i32x4.min_u(v128.shuffle<i64>(a, b, 0, 2), i32x4.splat(65535));
  return i16x8.narrow_i32x4_u(four, four);
}
