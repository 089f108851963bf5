/** What the page says of an upscaler. */
export interface UpscalerFacts {
  readonly name: string;
  readonly label: string;
  readonly goodFor: string;
  /** Of the network itself; undefined for filters and for AUTO, which take any. */
  readonly scale?: number;
  /** Catalogue name of its weights; undefined where there is nothing to install. */
  readonly model?: string;
  /** On an ordinary CPU, for each megapixel of the input: a first guess, until one was measured here. */
  readonly secondsPerMegapixel: number;
}

/** The upscalers that have names, the most often wanted first. */
export const UPSCALERS: readonly UpscalerFacts[] = [
  { name: 'AUTO', label: 'Automatic', goodFor: 'any picture: takes what suits the size', secondsPerMegapixel: 120 },
  {
    name: 'REALESRGAN_X4PLUS',
    label: 'R-ESRGAN 4x+',
    goodFor: 'photographs; invents fine detail',
    scale: 4,
    model: 'realesrgan-x4plus',
    secondsPerMegapixel: 400,
  },
  {
    name: 'REALESRGAN_X2PLUS',
    label: 'R-ESRGAN 2x+',
    goodFor: 'photographs at up to twice the size',
    scale: 2,
    model: 'realesrgan-x2plus',
    secondsPerMegapixel: 110,
  },
  {
    name: 'REALESR_GENERAL_X4_V3',
    label: 'R-ESRGAN General 4xV3',
    goodFor: 'photographs, quick; how much noise is removed can be chosen',
    scale: 4,
    model: 'realesr-general-x4v3',
    secondsPerMegapixel: 40,
  },
  {
    name: 'REALESRGAN_X4PLUS_ANIME',
    label: 'R-ESRGAN 4x+ Anime6B',
    goodFor: 'drawings with clean lines',
    scale: 4,
    model: 'realesrgan-x4plus-anime',
    secondsPerMegapixel: 130,
  },
  {
    name: 'REALESR_ANIMEVIDEO_V3',
    label: 'R-ESRGAN AnimeVideo',
    goodFor: 'frames of animation, quick',
    scale: 4,
    model: 'realesr-animevideov3',
    secondsPerMegapixel: 25,
  },
  {
    name: 'REALESRNET_X4PLUS',
    label: 'R-ESRNet 4x+',
    goodFor: 'photographs; smoother, invents less',
    scale: 4,
    model: 'realesrnet-x4plus',
    secondsPerMegapixel: 400,
  },
  {
    name: 'COMPACT_X2',
    label: 'Compact 2x',
    goodFor: 'anything at twice the size; always installed',
    scale: 2,
    model: 'compact-x2',
    secondsPerMegapixel: 9,
  },
  { name: 'LANCZOS', label: 'Lanczos', goodFor: 'a plain, exact resize', secondsPerMegapixel: 0.4 },
  { name: 'BICUBIC', label: 'Bicubic', goodFor: 'a plain, softer resize', secondsPerMegapixel: 0.4 },
  { name: 'NEAREST', label: 'Nearest', goodFor: 'pixel art', secondsPerMegapixel: 0.2 },
];

const FILTERS: ReadonlySet<string> = new Set(['LANCZOS', 'BICUBIC', 'NEAREST']);

/** What is known of an upscaler by its name; a file of the user's is known by its name alone. */
export function upscalerFacts(name: string): UpscalerFacts {
  const known = UPSCALERS.find((one) => one.name === name);
  return known ?? { name, label: name, goodFor: 'a file in the models folder', secondsPerMegapixel: 200 };
}

/** Whether an upscaler is, or may take, a network, and not a filter alone. */
export function isNetwork(name: string): boolean {
  return !FILTERS.has(name);
}
