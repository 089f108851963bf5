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
  /**
   * Bounds the mirrored views (of which the result is the mean) when their number is `auto`: as many as have at most this many
   * input pixels together. Without it, one view.
   */
  readonly pixelsInViews?: number;
}

/** What two CPU cores run through our own network in about three seconds; smaller pictures can have several views in that time. */
const COMPACT_X2_PIXELS = 400_000;

/** The upscalers with official weights, by `UpscalerType`. Any ESRGAN-family file in `MODELS_DIR` is one too, by its name. */
export const NETWORK_UPSCALERS: ReadonlyMap<string, NetworkUpscaler> = new Map([
  ['REALESRGAN_X2PLUS', { displayName: 'R-ESRGAN 2x+', model: 'realesrgan-x2plus' }],
  ['REALESRGAN_X4PLUS', { displayName: 'R-ESRGAN 4x+', model: 'realesrgan-x4plus' }],
  ['REALESRNET_X4PLUS', { displayName: 'R-ESRNet 4x+', model: 'realesrnet-x4plus' }],
  ['REALESRGAN_X4PLUS_ANIME', { displayName: 'R-ESRGAN 4x+ Anime6B', model: 'realesrgan-x4plus-anime' }],
  ['REALESR_ANIMEVIDEO_V3', { displayName: 'R-ESRGAN AnimeVideo', model: 'realesr-animevideov3' }],
  [
    'REALESR_GENERAL_X4_V3',
    {
      displayName: 'R-ESRGAN General 4xV3',
      model: 'realesr-general-x4v3',
      denoiseModel: 'realesr-general-wdn-x4v3',
    },
  ],
  ['COMPACT_X2', { displayName: 'Compact 2x', model: 'compact-x2', pixelsInViews: COMPACT_X2_PIXELS }],
]);

/** Upscalers that run a network: the named ones. Files of the user's are added by name when they are asked for. */
export const REALESRGAN_UPSCALERS: ReadonlySet<string> = new Set(NETWORK_UPSCALERS.keys());

/** Whether a resolved upscaler name is one of Pillow's filters. */
export function isPilUpscaler(name: string): name is PilUpscaler {
  return (PIL_UPSCALERS as ReadonlySet<string>).has(name);
}
