import { z } from 'zod';
import { faceEnhanceFields } from './face-options.ts';
import { autoOr, fraction, number, whole } from './values.ts';

/** Where a network runs; `auto` takes the first that works. */
export const DEVICES = ['auto', 'cuda', 'mps', 'cpu'] as const;

/** In what numbers a network runs; `auto` takes int8 on CPUs where the very weights have a calibration that passed its gate. */
export const PRECISIONS = ['auto', 'fp32', 'fp16', 'int8'] as const;

/** Over how many mirrored views of a picture the mean may be taken; each is one of those that networks can be shown. */
export const VIEWS = [1, 2, 4] as const;

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
  scale: number()
    .pipe(z.number().gt(0, { error: 'must be above 0' }))
    .optional(),
  width: whole(1).optional(),
  height: whole(1).optional(),
  denoise_strength: fraction()
    .optional()
    .describe('REALESR_GENERAL_X4_V3 only: 1 is the general model, 0 keeps the most grain'),
  tile: autoOr(whole(0)).optional().describe('auto, 0 for the whole image, or pixels'),
  tile_pad: autoOr(whole(0))
    .optional()
    .describe('auto for the halo the network needs; a number means the grid of RealESRGANer'),
  pre_pad: whole(0).default(0),
  tta: z
    .union([z.literal('auto'), number().pipe(z.literal(VIEWS))], {
      error: `must be auto, ${VIEWS.join(', ')}`,
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

export type UpscaleOptions = z.output<typeof upscaleOptions>;
