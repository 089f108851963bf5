import { z } from 'zod';
import { FACE_MODELS } from './face-options.ts';
import { DEVICES } from './upscale-options.ts';

/** What a caller may ask of `POST /faces`. */
export const findFacesOptions = z.object({
  face_model: z
    .enum(FACE_MODELS, { error: `must be ${FACE_MODELS.join(', ')}` })
    .optional()
    .describe('Whose faces are listed, since CodeFormer looks more closely; by default those of what MODEL_FACE names'),
  device: z.enum(DEVICES).optional(),
});

export type FindFacesOptions = z.output<typeof findFacesOptions>;
