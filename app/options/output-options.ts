import { z } from 'zod';
import { formatOfExtension, OUTPUT_FORMAT_NAMES } from './output-formats.ts';
import { flag, oneOf, whole } from './values.ts';

/** Image formats that can be asked for; `auto` keeps the input's where that loses nothing, else PNG. */
export const ASKED_FORMATS = ['auto', ...OUTPUT_FORMAT_NAMES] as const;

/** How a result is written. */
export const outputOptions = z.object({
  output_format: formatWord()
    .default('auto')
    .describe("auto keeps the image's own where that loses nothing, else png; jpg is jpeg, tif is tiff"),
  quality: whole(1, 100).optional().describe('Of formats that lose something; each has its own without'),
  lossless: flag()
    .optional()
    .describe('Whether WebP and AVIF keep every sample; without, as the image that was sent did, and at quality 100'),
  frames: oneOf(['first', 'all'])
    .default('first')
    .describe('Of a GIF, WebP or PNG that moves; all makes a WebP or PNG that moves'),
  metadata: oneOf(['keep', 'strip']).default('keep').describe('What becomes of EXIF, XMP, DPI and texts'),
});

/** A format by its name, or by an extension of its files. */
function formatWord() {
  const format = oneOf(ASKED_FORMATS);
  return z
    .string({ error: `must be ${ASKED_FORMATS.join(', ')}` })
    .transform((word) => formatOfExtension(`.${word.trim()}`) ?? word.trim().toLowerCase())
    .pipe(format);
}

export type OutputOptions = z.output<typeof outputOptions>;
