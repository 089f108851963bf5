import type { Rectangle } from '../imaging/rectangle.ts';
import type { ExtrasSize, ExtrasUpscaler } from '../options/extras-options.ts';
import type { UpscaleOptions } from '../options/upscale-options.ts';
import { upscaleOptions } from '../options/upscale-options.ts';
import type { AskedSize } from './upscale/target-size.ts';
import type { Size } from './result.ts';

/** How large a picture is made, and what of it is kept. */
export interface ExtrasSizePlan {
  /** As an upscale is asked for it. */
  readonly asked: AskedSize;
  /** What is cut out of that; nothing where it is the whole. */
  readonly region?: Rectangle;
}

/**
 * What size the extras ask an upscaler for. To cover a box a picture grows by the larger of the two factors, its other side to
 * `int()` of what that gives, and the middle of it is kept as Pillow's `paste` at `W // 2 - w // 2` keeps it
 * (scripts/postprocessing_upscale.py of the A1111 WebUI).
 */
export function extrasSize(input: Size, size: ExtrasSize): ExtrasSizePlan {
  if ('scale' in size) return { asked: { scale: size.scale } };
  const covering = coveringSize(input, size);
  const { width, height } = size;
  if (!size.isCropped || (covering.width === width && covering.height === height)) return { asked: covering };
  const x = Math.floor(covering.width / 2) - Math.floor(width / 2);
  const y = Math.floor(covering.height / 2) - Math.floor(height / 2);
  return { asked: covering, region: { x, y, width, height } };
}

/** One upscaler's part as an upscale. */
export function askedUpscale({ upscaler, denoiseStrength }: ExtrasUpscaler, size: AskedSize): UpscaleOptions {
  return upscaleOptions.parse({ upscaler, denoise_strength: denoiseStrength, ...size });
}

/** In whole numbers: `49 * (12 / 49)` would be a little less than 12. */
function coveringSize(input: Size, { width, height }: Size): Size {
  const isByWidth = width * input.height >= height * input.width;
  return isByWidth
    ? { width, height: Math.floor((input.height * width) / input.width) }
    : { width: Math.floor((input.width * height) / input.height), height };
}
