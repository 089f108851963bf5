import { basename } from 'node:path';
import type { DecodedPixels } from './codec-decode.ts';
import { decodePixels, shapeInHeader } from './codec-decode.ts';
import { assertHolds, writeImage } from './codec-encode.ts';
import type { OutputFormat } from '../../options/output-formats.ts';
import { assertAllowedSize, BadImageError } from '../errors.ts';
import type { Image, ImageShape } from '../image.ts';
import { shapeOf } from '../image.ts';
import { isLosslessFile } from './lossless-file.ts';
import type { ImageMetadata } from './metadata/metadata.ts';
import { outputMetadata } from './metadata/output-metadata.ts';
import type { PreparedFile } from './prepare-file.ts';
import { prepareFile, readImageFile } from './prepare-file.ts';
import type { ScratchImage } from '../scratch-image.ts';
import type { ImageFormat } from './sniff-format.ts';
import { sniffFormat } from './sniff-format.ts';
import { MetadataCollector } from './metadata/source-metadata.ts';

export interface DecodeLimits {
  /** The most pixels, width times height, that an image may have. */
  readonly maxPixels: number;
  /** The most bytes that a file may have; 1 GiB by default. */
  readonly maxBytes?: number;
  /** Whether all frames of the file are used, so that there is nothing to tell of them; by default the first alone is. */
  readonly usesAllFrames?: boolean;
  /** What messages call the file; its base name by default. */
  readonly name?: string;
}

export interface DecodedImage {
  /** Upright; samples as stored, but CMYK and Lab converted to sRGB. */
  readonly image: Image;
  readonly metadata: ImageMetadata;
  /** Whether the file is a WebP or AVIF that keeps every sample. */
  readonly isLossless: boolean;
  /** One sentence each: what was dropped, converted or left out. */
  readonly warnings: readonly string[];
}

export interface EncodeOptions {
  readonly format: OutputFormat;
  /** 1..100, for formats that lose something; the format's own by default. */
  readonly quality?: number | undefined;
  /** Whether every sample is kept, where the format can be written so; by default at quality 100, and without one as the source was. */
  readonly lossless?: boolean | undefined;
  readonly isSourceLossless?: boolean | undefined;
  /** What the result keeps of its source. */
  readonly metadata?: ImageMetadata | undefined;
}

const GIBIBYTE = 2 ** 30;

/**
 * Decodes the first frame of a JPEG, PNG, WebP, AVIF, TIFF or GIF file, or of an HEIC one where its decoder is installed, whatever its
 * name says. 8 and 16 bits, gray stays
 * gray, alpha stays. Sizes are checked in the header, and metadata is bounded, before libvips sees anything.
 *
 * @param file a path, or the bytes of a file
 * @throws BadImageError, ImageTooLargeError, UnsupportedImageError; each message names the file
 */
export async function decodeImage(file: string | Uint8Array, limits: DecodeLimits): Promise<DecodedImage> {
  const { bytes, format, name, prepared } = openImage(file, limits);
  const pixels = await decodePixels({ ...prepared, format, name, maxPixels: limits.maxPixels }).catch(
    (error: unknown) => {
      if (!prepared.endsEarly || !(error instanceof BadImageError)) throw error;
      throw new BadImageError(
        name,
        `the file ends early: ${bytes.length} bytes came, and the ${format.toUpperCase()} image goes on`,
        {
          cause: error,
        },
      );
    },
  );
  const warnings = [...prepared.warnings];
  const metadata = new MetadataCollector(warnings).collect(prepared, pixels, { format, bytes });
  return {
    image: pixels.image,
    metadata,
    isLossless: isLosslessFile(bytes, format),
    warnings: [
      ...warnings,
      ...(limits.usesAllFrames === true ? [] : frameWarning(prepared, pixels)),
      ...bitsWarning(format, pixels),
      ...endWarning(prepared),
      ...damageWarning(pixels),
    ],
  };
}

/**
 * What a file says of its picture, read and checked as `decodeImage` does, but for the pixels.
 * @returns the format, and the shape that the decoded picture would have: upright
 * @throws what `decodeImage` throws before it comes to the pixels
 */
export async function describeImage(
  file: string,
  limits: DecodeLimits,
): Promise<{ readonly format: ImageFormat; readonly shape: ImageShape }> {
  const { format, name, prepared } = openImage(file, limits);
  return { format, shape: await shapeInHeader({ ...prepared, format, name, maxPixels: limits.maxPixels }) };
}

/**
 * Writes a finished image to `target`, which appears when it is complete. 16 bits become 8, gray becomes
 * RGB and alpha is laid on white where the format does not hold them. The same image gives the same bytes.
 *
 * @returns warnings, one sentence each
 * @throws OutputFormatError, ScratchSpaceError
 */
export async function encodeImage(
  source: ScratchImage,
  target: string,
  options: EncodeOptions,
): Promise<readonly string[]> {
  const shape = shapeOf(source);
  assertHolds(options.format, shape);
  const metadata = outputMetadata(shape, options.format, options.metadata ?? {});
  await writeImage(source, target, { ...options, metadata });
  return metadata.warnings;
}

interface OpenedImage {
  readonly bytes: Uint8Array;
  readonly format: ImageFormat;
  readonly name: string;
  readonly prepared: PreparedFile;
}

/** Reads a file and its header. @throws BadImageError, ImageTooLargeError, UnsupportedImageError */
export function openImage(file: string | Uint8Array, limits: DecodeLimits): OpenedImage {
  const name = limits.name ?? (typeof file === 'string' ? basename(file) : 'the image');
  const { bytes, format } =
    typeof file === 'string'
      ? readImageFile(file, name, limits.maxBytes ?? GIBIBYTE)
      : { bytes: file, format: sniffFormat(file, name) };
  const prepared = prepareFile(bytes, format, name);
  if (prepared.size) assertSize(prepared.size, limits.maxPixels, name);
  return { bytes, format, name, prepared };
}

function assertSize(size: { readonly width: number; readonly height: number }, maxPixels: number, name: string): void {
  if (size.width < 1 || size.height < 1) {
    throw new BadImageError(
      name,
      `expected an image of at least 1x1 pixels, the header says ${size.width}x${size.height}`,
    );
  }
  assertAllowedSize(name, size, maxPixels);
}

function frameWarning(prepared: PreparedFile, { header }: DecodedPixels): string[] {
  const frames = Math.max(prepared.frames, header.pages ?? 1);
  const isFirst = (prepared.page?.index ?? 0) === 0; // else it is told already
  return frames > 1 && isFirst ? [`the file has ${frames} frames or pages; only the first is used`] : [];
}

function bitsWarning(format: ImageFormat, { header }: DecodedPixels): string[] {
  const { bitsPerSample = 8 } = header;
  return format === 'heic' && bitsPerSample > 8
    ? [`the picture is coded in ${bitsPerSample} bits; the decoder of HEIC gives 8`]
    : [];
}

function endWarning({ endsEarly }: PreparedFile): string[] {
  return endsEarly ? ['the file lacks its end marker; its pixels were complete'] : [];
}

function damageWarning({ damage }: DecodedPixels): string[] {
  return damage === undefined ? [] : [`the file is damaged: parts of the picture may be gray or wrong (${damage})`];
}
