import type { ImageShape } from '../imaging/image.ts';
import { hasAlpha } from '../imaging/image.ts';
import type { OutputFormat } from '../options/output-formats.ts';
import { isOutputFormat, traitsOf } from '../options/output-formats.ts';
import type { OutputOptions } from '../options/output-options.ts';

/**
 * The format to write: the one asked for, or for `auto` the source's own where that holds the bits and the transparency of the
 * result, else PNG.
 * @param source the format that was read
 */
export function chooseFormat(
  asked: OutputOptions['output_format'],
  source: string,
  { channels, depth }: Pick<ImageShape, 'channels' | 'depth'>,
): OutputFormat {
  if (asked !== 'auto') return asked;
  if (!isOutputFormat(source)) return 'png';
  const { holds16, holdsAlpha } = traitsOf(source);
  return (depth === 16 && !holds16) || (hasAlpha(channels) && !holdsAlpha) ? 'png' : source;
}
