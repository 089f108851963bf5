import { LightnessTable } from './lightness-table.ts';
import { toSrgb } from '../srgb.ts';

/*
 * CIE L*a*b* as OpenCV has it for floats: sRGB in 0..1 under D65; L is 0..100, a and b about -127..127. Networks were trained on
 * these numbers. Pixels are triplets, one after the other.
 */

const WHITE_X = 0.950456;
const WHITE_Z = 1.088754;

/** R, G, B in 0..1 (clipped) to the L of Lab, one for every pixel, as OpenCV's `COLOR_RGB2Lab`. */
export function rgbToLightness(rgb: Float32Array, lightness: Float32Array): void {
  const table = LightnessTable.get();
  for (let pixel = 0; pixel < lightness.length; pixel++) lightness[pixel] = table.lookUp(rgb, 3 * pixel) * 100;
}

/** L, a, b to R, G, B, clipped to 0..1, as OpenCV's `COLOR_Lab2RGB`. Where a and b are 0 the three are equal. */
export function labToRgb(lab: Float32Array, rgb: Float32Array): void {
  for (let i = 0; i + 2 < lab.length; i += 3) {
    const a = lab[i + 1] ?? 0;
    const b = lab[i + 2] ?? 0;
    const fy = ((lab[i] ?? 0) + 16) / 116;
    const y = uncurved(fy);
    if (a === 0 && b === 0) {
      rgb[i] = rgb[i + 1] = rgb[i + 2] = toSrgb(y); // the matrix leaves a millionth of colour, which rounding could show
      continue;
    }
    const x = WHITE_X * uncurved(fy + a / 500);
    const z = WHITE_Z * uncurved(fy - b / 200);
    rgb[i] = toSrgb(3.240479 * x - 1.53715 * y - 0.498535 * z);
    rgb[i + 1] = toSrgb(-0.969256 * x + 1.875991 * y + 0.041556 * z);
    rgb[i + 2] = toSrgb(0.055648 * x - 0.204043 * y + 1.057311 * z);
  }
}

/** The inverse of CIE's f. */
function uncurved(f: number): number {
  return f > 6 / 29 ? f ** 3 : (f - 16 / 116) * (108 / 841);
}
