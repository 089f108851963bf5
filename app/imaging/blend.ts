import type { Samples } from './image.ts';
import type { RowSource } from './rows.ts';

const { fround, trunc } = Math;

/**
 * `strength * changed + (1 - strength) * original` into `target` (which may be one of them), rounded to nearest, halves to
 * even. Strength 0 gives the original exactly, 1 the changed samples.
 */
export function blendSamples(original: Samples, changed: Samples, strength: number, target: Samples): void {
  for (let i = 0; i < target.length; i++) {
    target[i] = roundHalfEven(strength * (changed[i] ?? 0) + (1 - strength) * (original[i] ?? 0));
  }
}

/**
 * As Pillow's `Image.blend` makes 8 bits: counted in float32, and what is behind the point is cut off
 * (`ImagingBlend` of libImaging/Blend.c).
 */
export function blendSamplesAsPillow(original: Samples, changed: Samples, strength: number, target: Samples): void {
  const alpha = fround(strength);
  for (let i = 0; i < target.length; i++) {
    const one = original[i] ?? 0;
    target[i] = trunc(fround(one + fround(alpha * ((changed[i] ?? 0) - one))));
  }
}

/** Pictures of one size, blended as their rows are read. */
export function blendRows(
  original: RowSource,
  changed: RowSource,
  strength: number,
  blend: typeof blendSamples = blendSamples,
): RowSource {
  const { width, height, channels, depth } = original;
  return {
    width,
    height,
    channels,
    depth,
    readRows(y, count) {
      const rows = changed.readRows(y, count).slice();
      blend(original.readRows(y, count), rows, strength, rows);
      return rows;
    },
  };
}

function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}
