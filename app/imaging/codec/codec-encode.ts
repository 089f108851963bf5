import { renameSync, rmSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Sharp } from 'sharp';
import { sharp } from './codec-sharp.ts';
import { avifEdits, exifPlaceholder, jpegEdits, pngEdits, tiffEdits, webpEdits } from './embed-metadata.ts';
import { OutputFormatError, ScratchSpaceError } from '../errors.ts';
import type { Edit } from './file-edits.ts';
import { editFile } from './file-edits.ts';
import type { ImageShape } from '../image.ts';
import type { EncodeFormat, OutputMetadata } from './output-metadata.ts';
import type { ScratchImage } from '../scratch-image.ts';

/** The longest side that a format holds. */
const MAX_SIDE: Readonly<Record<EncodeFormat, number>> = {
  png: 2 ** 31 - 1,
  jpeg: 65_535,
  webp: 16_383,
  avif: 16_384,
  tiff: 2 ** 31 - 1,
};

/** Of 1..100; for PNG and TIFF, which lose nothing, it means nothing. */
const DEFAULT_QUALITY = { jpeg: 95, webp: 90, avif: 85 } as const;

/** A TIFF above 4 GiB needs offsets of 64 bits; compressed data may be larger than raw. */
const BIG_TIFF_BYTES = 3.5 * 2 ** 30;
const MM_PER_INCH = 25.4;
const FULL_DISK_BYTES = 1 << 20;

/** @throws OutputFormatError where the format cannot hold an image of this size */
export function assertHolds(format: EncodeFormat, { width, height }: ImageShape): void {
  const longest = MAX_SIDE[format];
  if (Math.max(width, height) <= longest) return;
  throw new OutputFormatError(
    `the result is ${width}x${height}, ${format.toUpperCase()} holds sides of at most ${longest}; ask for png or tiff, or a smaller scale`,
  );
}

/**
 * Writes the file: libvips maps the scratch file and compresses it, then what libvips does not write is put in. The target
 * appears when it is complete.
 */
export async function writeImage(
  source: ScratchImage,
  target: string,
  options: { readonly format: EncodeFormat; readonly quality?: number | undefined; readonly metadata: OutputMetadata },
): Promise<void> {
  const { format, metadata } = options;
  const partial = `${target}.part`;
  source.attach(metadata, metadata.density);
  try {
    await encoder(source, options).toFile(partial);
    editFile(partial, editsFor(partial, format, metadata));
    renameSync(partial, target);
  } catch (cause) {
    const error = failure(target, format, cause); // looks at the disk as it was, so before the partial file goes
    rmSync(partial, { force: true });
    throw error;
  }
}

function encoder(source: ScratchImage, options: Parameters<typeof writeImage>[2]): Sharp {
  const { format, quality, metadata } = options;
  const image = open(source, format, metadata);
  switch (format) {
    case 'png':
      return image.png({ compressionLevel: 2, adaptiveFiltering: true });
    case 'jpeg':
      return image.jpeg({ quality: quality ?? DEFAULT_QUALITY.jpeg, chromaSubsampling: '4:4:4' });
    case 'webp':
      return image.webp({ quality: quality ?? DEFAULT_QUALITY.webp, effort: 2 });
    case 'avif':
      return image.avif({ quality: quality ?? DEFAULT_QUALITY.avif, effort: 1 });
    case 'tiff':
      return image.tiff(tiffOptions(source, metadata.density));
  }
}

function open(source: ScratchImage, format: EncodeFormat, metadata: OutputMetadata): Sharp {
  const isGray = source.channels < 3;
  const keeps16 = source.depth === 16 && (format === 'png' || format === 'tiff');
  const isSrgb = metadata.isConvertedToSrgb || (isGray && (format === 'webp' || format === 'avif'));
  const space = isGray && !isSrgb ? (keeps16 ? 'grey16' : 'b-w') : keeps16 ? 'rgb16' : 'srgb';
  let image = sharp(source.file, { limitInputPixels: false }).toColourspace(space).keepXmp();
  if (!metadata.isConvertedToSrgb) image = image.keepIccProfile();
  if (format === 'jpeg') image = image.flatten({ background: 'white' });
  if (format === 'avif' && metadata.exif)
    image = image.withExif({ IFD0: { ImageDescription: exifPlaceholder(metadata.exif) } });
  return image;
}

function tiffOptions({ width, height, channels, depth }: ImageShape, density = 72) {
  const resolution = density / MM_PER_INCH;
  const bigtiff = width * height * channels * (depth / 8) > BIG_TIFF_BYTES;
  return { compression: 'lzw', predictor: 'horizontal', xres: resolution, yres: resolution, bigtiff } as const;
}

function editsFor(file: string, format: EncodeFormat, { exif, density, pngChunks }: OutputMetadata): Edit[] {
  switch (format) {
    case 'png':
      return pngEdits(pngChunks, exif);
    case 'jpeg':
      return jpegEdits(file, exif, density);
    case 'webp':
      return webpEdits(file, exif);
    case 'avif':
      return avifEdits(file, exif);
    case 'tiff':
      return tiffEdits(file, exif);
  }
}

function failure(target: string, format: EncodeFormat, cause: unknown): Error {
  const [detail = ''] = (cause instanceof Error ? cause.message : String(cause)).trim().split('\n');
  if (isDiskFull(dirname(target))) {
    return new ScratchSpaceError(`${target}: the disk is full (${detail}); free some space and try again`, { cause });
  }
  return new OutputFormatError(`${target}: could not be written as ${format.toUpperCase()} (${detail})`, { cause });
}

function isDiskFull(folder: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize < FULL_DISK_BYTES;
  } catch {
    return false; // no such folder, which is what the message then says
  }
}
