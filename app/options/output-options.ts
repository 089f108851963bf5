import { z } from 'zod';
import { formatOfExtension, OUTPUT_FORMAT_NAMES } from './output-formats.ts';
import { flag, oneOf, whole } from './values.ts';

/** Image formats that can be asked for; `auto` keeps the input's where that loses nothing, else PNG. */
export const ASKED_FORMATS = ['auto', ...OUTPUT_FORMAT_NAMES] as const;

/** How a result is written. */
export const outputOptions = z.object({
  output_format: formatWord()
    .default('auto')
    .describe("auto: the image's own format if it can hold the result, else png. jpg means jpeg, tif means tiff"),
  quality: whole(1, 100)
    .optional()
    .describe('Quality of lossy formats; by default, one chosen for the format. With lossless, it has no effect'),
  lossless: flag()
    .optional()
    .describe('Whether WebP and AVIF are lossless; by default, if the image sent is lossless or quality is 100'),
  frames: oneOf(['first', 'all'])
    .default('first')
    .describe('Which frames of an animated GIF, WebP or PNG to process; all produces an animated WebP or PNG'),
  metadata: oneOf(['keep', 'strip']).default('keep').describe('Whether EXIF, XMP, DPI and texts are kept'),
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
