import { resample } from './pillow/resample.ts';
import type { RowSource } from './rows.ts';
import { copyRows } from './rows.ts';
import { ScratchImage } from './scratch-image.ts';

/**
 * All rows of a source in a new scratch image.
 * @param folder of scratch files
 * @throws ScratchSpaceError
 */
export function rowsInto(source: RowSource, folder: string): ScratchImage {
  const image = ScratchImage.create(folder, source);
  copyRows(source, image);
  return image;
}

/**
 * A source in another size, by LANCZOS, in a new scratch image.
 * @param size in pixels
 * @param folder of scratch files
 * @throws ScratchSpaceError
 */
export function resizedInto(
  source: RowSource,
  { width, height }: { readonly width: number; readonly height: number },
  folder: string,
): ScratchImage {
  const { channels, depth } = source;
  const image = ScratchImage.create(folder, { width, height, channels, depth });
  resample(source, image, 'LANCZOS');
  return image;
}
