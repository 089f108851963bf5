import { z } from 'zod';
import { whole } from './values.ts';

/** Image formats a result can have; `auto` keeps the input's where that loses nothing, else PNG. */
export const OUTPUT_FORMATS = ['auto', 'png', 'jpeg', 'webp', 'avif', 'tiff'] as const;

/** How a result is written. */
export const outputOptions = z.object({
  output_format: z.enum(OUTPUT_FORMATS).default('auto'),
  quality: whole(1)
    .pipe(z.number().max(100, { error: 'must be 1 to 100' }))
    .optional(),
  metadata: z.enum(['keep', 'strip']).default('keep'),
});

export type OutputOptions = z.output<typeof outputOptions>;
