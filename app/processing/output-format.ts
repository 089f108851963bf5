import type { ImageShape } from '../imaging/image.ts';
import { hasAlpha } from '../imaging/image.ts';
import type { OutputOptions } from '../options/output-options.ts';

/** A format that results are written in. */
export type OutputFormat = Exclude<OutputOptions['output_format'], 'auto'>;

/** Extensions by format; the first is the one that is written. */
const EXTENSIONS: Readonly<Record<OutputFormat, readonly string[]>> = {
  png: ['png'],
  jpeg: ['jpg', 'jpeg', 'jfif'],
  webp: ['webp'],
  avif: ['avif'],
  tiff: ['tiff', 'tif'],
};

/** The extension that files of a format get, without a dot. */
export function extensionOf(format: OutputFormat): string {
  return EXTENSIONS[format][0] ?? format;
}

/** The format that an extension (with a dot, any case) stands for. */
export function formatOfExtension(extension: string): OutputFormat | undefined {
  const wanted = extension.slice(1).toLowerCase();
  const formats = Object.keys(EXTENSIONS) as OutputFormat[];
  return formats.find((format) => EXTENSIONS[format].includes(wanted));
}

/**
 * The format to write: the one asked for, or for `auto` the source's own where the result loses nothing by it, else PNG. JPEG
 * has no alpha, and JPEG, WebP and AVIF have 8 bits here.
 * @param source the format that was read
 */
export function chooseFormat(
  asked: OutputOptions['output_format'],
  source: string,
  { channels, depth }: Pick<ImageShape, 'channels' | 'depth'>,
): OutputFormat {
  if (asked !== 'auto') return asked;
  if (source === 'tiff') return 'tiff';
  if (depth === 16) return 'png';
  if (source === 'jpeg') return hasAlpha(channels) ? 'png' : 'jpeg';
  return source === 'webp' || source === 'avif' ? source : 'png';
}
