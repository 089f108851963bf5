import { z } from 'zod';
import { VIEWS } from '../architectures/mirrored-views.ts';
import { faceEnhanceFields } from './face-options.ts';
import { autoOr, fraction, number, whole } from './number-fields.ts';

/** Image formats a result can have; `auto` keeps the input's where that loses nothing, else PNG. */
export const OUTPUT_FORMATS = ['auto', 'png', 'jpeg', 'webp', 'avif', 'tiff'] as const;
/** Where a network runs; `auto` takes the first that works. */
export const DEVICES = ['auto', 'cuda', 'mps', 'cpu'] as const;

/** In what numbers a network runs; `auto` takes int8 on CPUs where the very weights have a calibration that passed its gate. */
export const PRECISIONS = ['auto', 'fp32', 'fp16', 'int8'] as const;

export type Device = (typeof DEVICES)[number];
export type Precision = (typeof PRECISIONS)[number];

/**
 * What a caller may ask of an upscale, under the names of the form fields (`POST /upscale`), of `HiresFixConfig` and, with
 * dashes, of the command line. Sizes in pixels of the result; `tile`, `tile_pad`, `pre_pad` in pixels of the input.
 */
export const upscaleOptions = z.object({
  upscaler: z
    .string()
    .min(1)
    .max(255)
    .default('AUTO')
    .describe('AUTO, an UpscalerType, an A1111 name or a file in MODELS_DIR'),
  scale: number('scale')
    .pipe(z.number().gt(0, { error: 'scale must be above 0' }))
    .optional(),
  width: whole('width', 1).optional(),
  height: whole('height', 1).optional(),
  denoise_strength: fraction('denoise_strength')
    .optional()
    .describe('REALESR_GENERAL_X4_V3 only: 1 is the general model, 0 keeps the most grain'),
  tile: autoOr(whole('tile', 0)).optional().describe('auto, 0 for the whole image, or pixels'),
  tile_pad: autoOr(whole('tile_pad', 0))
    .optional()
    .describe('auto for the halo the network needs; a number means the grid of RealESRGANer'),
  pre_pad: whole('pre_pad', 0).default(0),
  tta: z
    .union([z.literal('auto'), number('tta').pipe(z.literal(VIEWS))], {
      error: `tta must be auto, ${VIEWS.join(', ')}`,
    })
    .optional()
    .describe(
      'mean of so many mirrored views, each a run of the network; auto: several for small pictures of COMPACT_X2, else 1',
    ),
  device: z.enum(DEVICES).optional(),
  precision: z
    .enum(PRECISIONS)
    .optional()
    .describe(
      'auto: int8 on CPUs for weights whose calibration passed its gate (models optimize), else fp32; fp16 is for GPUs',
    ),
  ...faceEnhanceFields,
});

/** How a result is written. */
export const outputOptions = z.object({
  output_format: z.enum(OUTPUT_FORMATS).default('auto'),
  quality: whole('quality', 1)
    .pipe(z.number().max(100, { error: 'quality must be 1 to 100' }))
    .optional(),
  metadata: z.enum(['keep', 'strip']).default('keep'),
});

export type UpscaleOptions = z.output<typeof upscaleOptions>;
export type OutputOptions = z.output<typeof outputOptions>;
