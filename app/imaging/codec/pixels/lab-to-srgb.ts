import type { Image } from '../../image.ts';
import { allocateSamples, maxSample } from '../../image.ts';
import { toSrgb } from '../../srgb.ts';

/**
 * How a TIFF codes L*a*b*. `cielab` (photometric 8): a and b are signed; `icclab` (photometric 9, TIFF technical note 4): a and
 * b are offset by half, and 16-bit L ends at 65280.
 */
export type LabEncoding = 'cielab' | 'icclab';

/** XYZ of the D50 white that L*a*b* is relative to, by the ICC specification. */
const WHITE = [0.9642, 1, 0.8249] as const;

/** XYZ relative to D50 to linear sRGB: the sRGB primaries, adapted from D65 by Bradford's method. */
const TO_LINEAR = [
  [3.1338561, -1.6168667, -0.4906146],
  [-0.9787684, 1.9161415, 0.033454],
  [0.0719453, -0.2289914, 1.4052427],
] as const;

/**
 * Converts samples that hold L*a*b* to sRGB of the same depth; colours outside sRGB are clipped. An alpha channel stays.
 * libvips reads no 8-bit L*a*b* TIFF.
 */
export function labToSrgb(image: Image, encoding: LabEncoding): Image {
  const { channels, depth } = image;
  const data = allocateSamples(depth, image.data.length);
  const max = maxSample(depth);
  const fullScale = encoding === 'icclab' && depth === 16 ? 65280 : max;
  const unit = depth === 16 ? 256 : 1;
  const half = (max + 1) / 2;
  const chroma = (sample: number): number =>
    (encoding === 'icclab' || sample < half ? sample : sample - max - 1) / unit;
  const offset = encoding === 'icclab' ? half / unit : 0;
  for (let at = 0; at < data.length; at += channels) {
    const l = ((image.data[at] ?? 0) / fullScale) * 100;
    const a = chroma(image.data[at + 1] ?? 0) - offset;
    const b = chroma(image.data[at + 2] ?? 0) - offset;
    const y = (l + 16) / 116;
    const xyz = [decode(y + a / 500) * WHITE[0], decode(y) * WHITE[1], decode(y - b / 200) * WHITE[2]] as const;
    for (const [i, row] of TO_LINEAR.entries()) {
      data[at + i] = Math.round(toSrgb(row[0] * xyz[0] + row[1] * xyz[1] + row[2] * xyz[2]) * max);
    }
    if (channels === 4) data[at + 3] = image.data[at + 3] ?? 0;
  }
  return { ...image, data };
}

/** The inverse of CIE 1976's compression of lightness. */
function decode(t: number): number {
  return t > 6 / 29 ? t ** 3 : (t - 4 / 29) * 3 * (6 / 29) ** 2;
}
