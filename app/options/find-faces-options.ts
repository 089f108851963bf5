import { z } from 'zod';
import { FACE_MODELS } from './face-options.ts';
import { deviceField } from './upscale-options.ts';
import { oneOf } from './values.ts';

/** What a caller may ask of `POST /faces`. */
export const findFacesOptions = z.object({
  face_model: oneOf(FACE_MODELS)
    .optional()
    .describe(
      'The restorer whose faces are listed (CodeFormer detects in its own way); by default, the one MODEL_FACE names',
    ),
  device: deviceField(),
});

export type FindFacesOptions = z.output<typeof findFacesOptions>;
