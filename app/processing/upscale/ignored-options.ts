import type { UpscaleOptions } from '../../options/upscale-options.ts';

/**
 * What `info.warnings` says of options that were asked for and do nothing here. What changes nothing, such as a `tile` of `auto`, is not
 * mentioned: programs send all fields that they know.
 * @param filter the Pillow filter that does it; none where a network does
 */
export function ignoredOptions(options: UpscaleOptions, filter?: string): string[] {
  const {
    fit = 'fill',
    width,
    height,
    tile = 'auto',
    tile_pad: tilePad = 'auto',
    pre_pad: prePad,
    tta = 'auto',
  } = options;
  const isFitting = fit === 'fill' || (width !== undefined && height !== undefined);
  const ofNetworks = {
    tile: tile !== 'auto' && tile > 0,
    tile_pad: tilePad !== 'auto' && tilePad > 0,
    pre_pad: prePad > 0,
    tta: tta !== 'auto' && tta > 1,
  };
  const ignored = Object.entries(ofNetworks).flatMap(([name, isAsked]) => (isAsked ? [name] : []));
  return [
    ...(isFitting ? [] : ['fit was ignored: it is for width and height together']),
    ...(filter === undefined || ignored.length === 0
      ? []
      : [`${ignored.join(', ')} ${ignored.length > 1 ? 'were' : 'was'} ignored: ${filter} has no network`]),
  ];
}
