import { z } from 'zod';
import { faceEnhanceFields } from './face-options.ts';
import { autoOr, fraction, numberAbove, numberOneOf, oneOf, text, whole } from './values.ts';

/** Where a network runs; `auto` takes the first that works. */
export const DEVICES = ['auto', 'cuda', 'mps', 'cpu'] as const;

/** In what numbers a network runs; `auto` takes fp16 on CUDA where the network holds it, int8 on CPUs where the very weights have a calibration that passed its gate. */
export const PRECISIONS = ['auto', 'fp32', 'fp16', 'int8'] as const;

/** Over how many mirrored views of a picture the mean may be taken; each is one of those that networks can be shown. */
export const VIEWS = [1, 2, 4] as const;

const VIEWS_LIST = `must be auto, ${VIEWS.join(', ')}`;

/** What becomes of a picture of another shape than the `width` and `height` that were asked for together. */
export const FITS = ['fill', 'inside', 'cover'] as const;

/** By what the colours of a result are corrected after the network: its mean, or all of its low bands. */
export const COLOR_FIXES = ['none', 'mean', 'wavelet'] as const;

export type ColorFix = (typeof COLOR_FIXES)[number];
export type Fit = (typeof FITS)[number];
export type Device = (typeof DEVICES)[number];
export type Precision = (typeof PRECISIONS)[number];

/**
 * What a caller may ask of an upscale, under the names of the form fields (`POST /upscale`), of `HiresFixConfig` and, with
 * dashes, of the command line. Sizes in pixels of the result; `tile`, `tile_pad`, `pre_pad` in pixels of the input.
 */
export const upscaleOptions = z.object({
  upscaler: text(255)
    .default('AUTO')
    .describe(
      'AUTO, a name listed by GET /models, a Pillow filter (LANCZOS ...), an A1111 name, or a file in MODELS_DIR',
    )
    .meta({ examples: ['AUTO', 'LANCZOS', 'REALESRGAN_X4PLUS'] }),
  scale: numberAbove(0)
    .optional()
    .describe(
      "How many times larger the result is; below 1, smaller. Without scale, width and height: the network's own, or 2",
    )
    .meta({ examples: [2, 1.5] }),
  width: whole(1).optional().describe('Width of the result, in pixels; without height, the aspect ratio is kept'),
  height: whole(1).optional().describe('Height of the result, in pixels; without width, the aspect ratio is kept'),
  fit: oneOf(FITS)
    .optional()
    .describe(
      'With width and height. fill (the default): stretch; inside: keep the ratio; cover: keep it and crop the rest',
    ),
  denoise_strength: fraction()
    .optional()
    .describe('REALESR_GENERAL_X4_V3 only: 1 denoises most, 0 keeps the most grain'),
  tile: autoOr(whole(0))
    .optional()
    .describe('Tile side, in pixels of the image; 0: the whole image at once; by default, TILE')
    .meta({ examples: ['auto', 256] }),
  tile_pad: autoOr(whole(0))
    .optional()
    .describe(
      'Pixels around a tile. auto: as many as the network sees; a number: tiles exactly as RealESRGANer cuts them',
    ),
  pre_pad: whole(0).default(0).describe('Pixels of padding around the image before it is cut into tiles'),
  tta: z
    .union([z.literal('auto'), numberOneOf(VIEWS, VIEWS_LIST)], { error: VIEWS_LIST })
    .optional()
    .describe(
      'Number of mirrored views to average, each a run of the network; auto: several for small images with COMPACT_X2, else 1',
    ),
  ...correctionFields(),
  device: deviceField(),
  precision: oneOf(PRECISIONS)
    .optional()
    .describe(
      'auto: fp16 on CUDA if the network tolerates it, int8 on CPUs if the weights have an int8 form that passed its gate, else fp32. fp16 is for GPUs. By default, PRECISION',
    ),
  ...faceEnhanceFields,
});

/**
 * A check of a form: a scale and a side both say the size. Told of the fields as the form has them.
 * @param fields what the form calls them
 */
export function oneSize({ scale = 'scale', width = 'width', height = 'height' } = {}) {
  return ({ value, issues }: z.core.ParsePayload<Readonly<Record<string, unknown>>>): void => {
    const side = [width, height].find((name) => value[name] !== undefined);
    if (value[scale] === undefined || side === undefined) return;
    const message = `must not come with ${side}: give a factor, or the sides`;
    issues.push({ code: 'custom', path: [scale], message, input: value[scale] });
  };
}

/** What is done to a picture before its network and after it. */
export function correctionFields() {
  return {
    colour_fix: oneOf(COLOR_FIXES)
      .optional()
      .describe(
        "Restores the image's own tones after the network. mean: its mean colour; wavelet: everything but fine detail",
      ),
    clean: text(255)
      .optional()
      .describe('A network of scale 1 in MODELS_DIR to run first, against noise or JPEG artefacts')
      .meta({ examples: ['nafnet-sidd-width64'] }),
  };
}

/** Where a request wants its networks to run. */
export function deviceField() {
  return oneOf(DEVICES).optional().describe('Where networks run; by default, DEVICE');
}

export type UpscaleOptions = z.output<typeof upscaleOptions>;
