import { z } from 'zod';
import { OUTPUT_FORMAT_NAMES } from './output-formats.ts';
import { whole } from './values.ts';

/** Image formats that can be asked for; `auto` keeps the input's where that loses nothing, else PNG. */
export const ASKED_FORMATS = ['auto', ...OUTPUT_FORMAT_NAMES] as const;

/** How a result is written. */
export const outputOptions = z.object({
  output_format: z.enum(ASKED_FORMATS).default('auto'),
  quality: whole(1)
    .pipe(z.number().max(100, { error: 'must be 1 to 100' }))
    .optional(),
  metadata: z.enum(['keep', 'strip']).default('keep'),
});

export type OutputOptions = z.output<typeof outputOptions>;
