import { z } from 'zod';
import { FACE_MODELS } from './face-options.ts';
import { deviceField } from './upscale-options.ts';
import { oneOf } from './values.ts';

/** What a caller may ask of `POST /faces`. */
export const findFacesOptions = z.object({
  face_model: oneOf(FACE_MODELS)
    .optional()
    .describe('Whose faces are listed, since CodeFormer looks more closely; by default those of what MODEL_FACE names'),
  device: deviceField(),
});

export type FindFacesOptions = z.output<typeof findFacesOptions>;
