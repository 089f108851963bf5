import { resultChannels } from '../../architectures/picture-channels.ts';
import type { Views } from '../../architectures/mirrored-views.ts';
import type { ImageShape } from '../../imaging/image.ts';
import type { UpscaleOptions } from '../../options/upscale-options.ts';
import { VIEWS } from '../../options/upscale-options.ts';
import type { TiledNetwork, TilingOptions } from './tile-grid.ts';
import { NETWORK_UPSCALERS } from './upscalers.ts';

/** How often the network runs: twice when that comes nearer to the factor than once, for a 4x network at 16x but not at 8x. */
export function passesFor(scale: number, factor: number): number {
  return scale > 1 && factor > scale ** 1.5 ? 2 : 1;
}

/** What each pass of a network reads. */
export function shapesByPass(
  network: Pick<TiledNetwork, 'scale' | 'inputChannels' | 'outputChannels'>,
  image: ImageShape,
  passes: number,
): ImageShape[] {
  const { width, height, depth } = image;
  let { channels } = image;
  return Array.from({ length: passes }, (_, pass) => {
    if (pass > 0) channels = resultChannels(network, channels);
    const factor = network.scale ** pass;
    return { width: width * factor, height: height * factor, channels, depth };
  });
}

/**
 * The views that were asked for; else as many as the upscaler has time for, but one on the reference's grid, which has no views.
 * @param pixels those of all images that the network sees of a picture in one view
 */
export function viewsFor(name: string, pixels: number, { tta = 'auto' }: UpscaleOptions, cut: TilingOptions): Views {
  if (tta !== 'auto') return tta;
  const allowed = cut.tilePad === 'auto' ? (NETWORK_UPSCALERS.get(name)?.pixelsInViews ?? 0) : 0;
  return VIEWS.findLast((views) => views * pixels <= allowed) ?? 1;
}

/** What `info.warnings` says of more passes than one. */
export function passesWarning(passes: number): string[] {
  return passes > 1 ? [`the network ran ${passes} times, which is nearer to the size asked for`] : [];
}
