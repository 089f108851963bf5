// Colour multiplied by alpha and divided by it, in place, alpha last. 8 bits by four pixels or eight samples at a time, up to 15 bytes
// past the end.

/** Rounded quotients by 255 without dividing, as the reference's. */
export function premultiplyRgba8(samples: usize, bytes: i32): void {
  for (let i: i32 = 0; i < bytes; i += 16) {
    const pixels = v128.load(samples + i);
    const alphas = i8x16.swizzle(pixels, i8x16(3, 3, 3, -1, 7, 7, 7, -1, 11, 11, 11, -1, 15, 15, 15, -1));
    v128.store(samples + i, multiplied(pixels, v128.or(alphas, i32x4.splat(0xff000000))));
  }
}

export function premultiplyGrayAlpha8(samples: usize, bytes: i32): void {
  for (let i: i32 = 0; i < bytes; i += 16) {
    const pixels = v128.load(samples + i);
    const alphas = i8x16.swizzle(pixels, i8x16(1, -1, 3, -1, 5, -1, 7, -1, 9, -1, 11, -1, 13, -1, 15, -1));
    v128.store(samples + i, multiplied(pixels, v128.or(alphas, i16x8.splat(0xff00 as i16))));
  }
}

function multiplied(samples: v128, factors: v128): v128 {
  const lower = quotients(i16x8.extmul_low_i8x16_u(samples, factors));
  const upper = quotients(i16x8.extmul_high_i8x16_u(samples, factors));
  return i8x16.narrow_i16x8_u(lower, upper);
}

function quotients(products: v128): v128 {
  const more = i16x8.add(products, i16x8.splat(128));
  return i16x8.shr_u(i16x8.add(more, i16x8.shr_u(more, 8)), 8);
}

/** Quotients cut off and clipped; colour is left alone where alpha is 0. */
export function unpremultiplyRgba8(samples: usize, bytes: i32): void {
  for (let i: i32 = 0; i < bytes; i += 4) {
    const pixel = load<u32>(samples + i);
    const alpha = pixel >>> 24;
    if (alpha === 0 || alpha === 255) continue;
    store<u32>(samples + i, divided(pixel, f32x4.replace_lane(f32x4.splat(alpha as f32), 3, 255)));
  }
}

/** Two pixels at a time. */
export function unpremultiplyGrayAlpha8(samples: usize, bytes: i32): void {
  for (let i: i32 = 0; i < bytes; i += 4) {
    const pixels = load<u32>(samples + i);
    const first = (pixels >>> 8) & 255;
    const second = pixels >>> 24;
    let divisors = f32x4.splat(255);
    if (first !== 0) divisors = f32x4.replace_lane(divisors, 0, first as f32);
    if (second !== 0) divisors = f32x4.replace_lane(divisors, 2, second as f32);
    store<u32>(samples + i, divided(pixels, divisors));
  }
}

/** Exact: a quotient of integers so small lies farther from the next integer than a float's rounding carries it. */
function divided(bytes: u32, divisors: v128): u32 {
  const samples = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(i32x4.splat(bytes)));
  const times255 = f32x4.convert_i32x4_u(i32x4.mul(samples, i32x4.splat(255)));
  const cut = i32x4.trunc_sat_f32x4_s(f32x4.div(times255, divisors));
  const shorts = i16x8.narrow_i32x4_s(cut, cut);
  return i32x4.extract_lane(i8x16.narrow_i16x8_u(shorts, shorts), 0);
}

/** 16 bits: rounded to the nearest, both ways. */
export function premultiply16(samples: usize, bytes: i32, channels: i32): void {
  for (let pixel: i32 = 0; pixel < bytes; pixel += channels << 1) {
    const last = pixel + ((channels - 1) << 1);
    const alpha = load<u16>(samples + last) as f64;
    for (let i = pixel; i < last; i += 2) {
      const product = (load<u16>(samples + i) as f64) * alpha;
      store<u16>(samples + i, (product / 65535 + 0.5) as u32);
    }
  }
}

export function unpremultiply16(samples: usize, bytes: i32, channels: i32): void {
  for (let pixel: i32 = 0; pixel < bytes; pixel += channels << 1) {
    const last = pixel + ((channels - 1) << 1);
    const alpha = load<u16>(samples + last) as f64;
    if (alpha === 0 || alpha === 65535) continue;
    for (let i = pixel; i < last; i += 2) {
      const color = ((load<u16>(samples + i) as f64) * 65535) / alpha + 0.5;
      store<u16>(samples + i, min<f64>(color, 65535) as u32);
    }
  }
}
