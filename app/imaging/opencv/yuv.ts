import type { BitDepth, Samples } from '../image.ts';
import { maxSample } from '../image.ts';

/*
 * Y, U, V as OpenCV has them for whole numbers (`COLOR_RGB2YUV`, `COLOR_YUV2RGB`): BT.601 luma, with weights in 1/16384 and
 * chroma about the middle of the range.
 */

const SHIFT = 14;
const Y_OF_RGB = [4899, 9617, 1868] as const; // 0.299, 0.587, 0.114
const U_OF_BLUE = 8061; // 0.492
const V_OF_RED = 14369; // 0.877
const BLUE_OF_U = 33292; // 2.032
const GREEN_OF_U = -6472; // -0.395
const GREEN_OF_V = -9519; // -0.581
const RED_OF_V = 18678; // 1.140

/**
 * The luma of `light` with the chroma of `color`: both RGB triplets of the same depth, as is `target`, which may be one of them.
 * What is out of range is clipped, which is where the luma is not kept.
 */
export function joinLumaAndChroma(light: Samples, color: Samples, target: Samples, depth: BitDepth): void {
  const limit = maxSample(depth);
  const middle = (limit + 1) / 2;
  const clip = (value: number): number => Math.max(0, Math.min(value, limit));
  for (let i = 0; i + 2 < light.length; i += 3) {
    const y = luma(light, i);
    const tint = luma(color, i);
    // Chroma is a whole number in the reference, and clipped: what is off by it is part of the result.
    const u = clip(descale(((color[i + 2] ?? 0) - tint) * U_OF_BLUE) + middle) - middle;
    const v = clip(descale(((color[i] ?? 0) - tint) * V_OF_RED) + middle) - middle;
    target[i] = clip(y + descale(v * RED_OF_V));
    target[i + 1] = clip(y + descale(u * GREEN_OF_U + v * GREEN_OF_V));
    target[i + 2] = clip(y + descale(u * BLUE_OF_U));
  }
}

function luma(rgb: Samples, at: number): number {
  const [ofRed, ofGreen, ofBlue] = Y_OF_RGB;
  return descale((rgb[at] ?? 0) * ofRed + (rgb[at + 1] ?? 0) * ofGreen + (rgb[at + 2] ?? 0) * ofBlue);
}

/** Divides by 16384 and rounds, halves up. */
function descale(value: number): number {
  return Math.floor((value + (1 << (SHIFT - 1))) / (1 << SHIFT));
}
