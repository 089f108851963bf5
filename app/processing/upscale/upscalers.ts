import type { TiledNetwork } from './tile-grid.ts';

/** Interpolators that equal Pillow's, bit for bit; any scale. */
export const PIL_UPSCALERS = new Set(['NEAREST', 'BILINEAR', 'BICUBIC', 'LANCZOS'] as const);

/** A Pillow filter that serves as an upscaler. */
export type PilUpscaler = typeof PIL_UPSCALERS extends Set<infer Name> ? Name : never;

/** A network that the service knows by name. */
export interface NetworkUpscaler {
  /** The name that A1111 clients know. */
  readonly displayName: string;
  /** Catalogue name of the weights (CONTRACT: "Files in MODELS_DIR"). */
  readonly model: string;
  /** Catalogue name of the weights that `denoise_strength` blends towards. */
  readonly denoiseModel?: string;
  /** What its tiles depend on, for who counts work without reading the weights. */
  readonly tiling: TiledNetwork;
  /**
   * Bounds the mirrored views (of which the result is the mean) when their number is `auto`: as many as have at most this many
   * input pixels together. Without it, one view.
   */
  readonly pixelsInViews?: number;
}

/** What two CPU cores run through our own network in about three seconds; smaller pictures can have several views in that time. */
const COMPACT_X2_PIXELS = 400_000;

// What the official files are recognised as (a test holds it against their manifests).
const COLOR = { inputChannels: 3, outputChannels: 3 };
const RRDB_X2: TiledNetwork = { ...COLOR, scale: 2, multipleOf: 2, halo: 24, workingBytesPerPixel: 5120 };
const RRDB_X4: TiledNetwork = { ...COLOR, scale: 4, multipleOf: 1, halo: 12, workingBytesPerPixel: 20_480 };
const VIDEO_X4: TiledNetwork = { ...COLOR, scale: 4, multipleOf: 1, halo: 18, workingBytesPerPixel: 1984 };
const GENERAL_X4: TiledNetwork = { ...COLOR, scale: 4, multipleOf: 1, halo: 34, workingBytesPerPixel: 1984 };
const COMPACT: TiledNetwork = { ...COLOR, scale: 2, multipleOf: 1, halo: 18, workingBytesPerPixel: 1264 };

/** The upscalers with official weights, by `UpscalerType`. Any ESRGAN-family file in `MODELS_DIR` is one too, by its name. */
export const NETWORK_UPSCALERS: ReadonlyMap<string, NetworkUpscaler> = new Map([
  ['REALESRGAN_X2PLUS', { displayName: 'R-ESRGAN 2x+', model: 'realesrgan-x2plus', tiling: RRDB_X2 }],
  ['REALESRGAN_X4PLUS', { displayName: 'R-ESRGAN 4x+', model: 'realesrgan-x4plus', tiling: RRDB_X4 }],
  ['REALESRNET_X4PLUS', { displayName: 'R-ESRNet 4x+', model: 'realesrnet-x4plus', tiling: RRDB_X4 }],
  [
    'REALESRGAN_X4PLUS_ANIME',
    { displayName: 'R-ESRGAN 4x+ Anime6B', model: 'realesrgan-x4plus-anime', tiling: RRDB_X4 },
  ],
  ['REALESR_ANIMEVIDEO_V3', { displayName: 'R-ESRGAN AnimeVideo', model: 'realesr-animevideov3', tiling: VIDEO_X4 }],
  [
    'REALESR_GENERAL_X4_V3',
    {
      displayName: 'R-ESRGAN General 4xV3',
      model: 'realesr-general-x4v3',
      denoiseModel: 'realesr-general-wdn-x4v3',
      tiling: GENERAL_X4,
    },
  ],
  ['COMPACT_X2', { displayName: 'Compact 2x', model: 'compact-x2', tiling: COMPACT, pixelsInViews: COMPACT_X2_PIXELS }],
]);

/** Short names of `MODEL_UPSCALE`. */
const SHORT_NAMES: ReadonlyMap<string, string> = new Map([
  ['x2plus', 'REALESRGAN_X2PLUS'],
  ['x4plus', 'REALESRGAN_X4PLUS'],
  ['x4anime', 'REALESRGAN_X4PLUS_ANIME'],
  ['x4net', 'REALESRNET_X4PLUS'],
  ['animevideov3', 'REALESR_ANIMEVIDEO_V3'],
  ['general-x4v3', 'REALESR_GENERAL_X4_V3'],
  ['compact-x2', 'COMPACT_X2'],
]);

/** What is asked for where the choice is left to the service. */
export const AUTO = 'AUTO';
/** The largest growth for which AUTO takes the 2x network: it folds pixels and costs a quarter of the 4x one. */
const AUTO_X2_LIMIT = 2;

/** Upscalers that run a network: the named ones. Files of the user's are added by name when they are asked for. */
export const REALESRGAN_UPSCALERS: ReadonlySet<string> = new Set(NETWORK_UPSCALERS.keys());

/** Whether a resolved upscaler name is one of Pillow's filters. */
export function isPilUpscaler(name: string): name is PilUpscaler {
  return (PIL_UPSCALERS as ReadonlySet<string>).has(name);
}

/** An `UpscalerType` for every spelling of it that clients use; any other name as it is. */
export function canonicalName(name: string): string {
  const upper = name.toUpperCase();
  if (isPilUpscaler(upper) || NETWORK_UPSCALERS.has(upper)) return upper;
  const short = SHORT_NAMES.get(name.toLowerCase());
  if (short !== undefined) return short;
  const displayed = [...NETWORK_UPSCALERS].find(([, { displayName }]) => displayName.toUpperCase() === upper);
  return displayed?.[0] ?? name;
}

/**
 * What AUTO takes, the first that can be had.
 * @param growth how many times the sides grow
 */
export function autoUpscalers(
  growth: number,
  { modelUpscale }: { readonly modelUpscale: string },
): ReadonlySet<string> {
  return new Set([growth <= AUTO_X2_LIMIT ? 'REALESRGAN_X2PLUS' : canonicalName(modelUpscale), 'COMPACT_X2']);
}
