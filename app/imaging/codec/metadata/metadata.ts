import type { Density } from './density.ts';
import type { StatedColor } from '../color/stated-color.ts';
import type { ImageFormat } from '../sniff-format.ts';

/**
 * What a file holds besides its pixels, and what a result may keep of it. Plain data: it passes between processes.
 */
export interface ImageMetadata {
  /** The format that was read. */
  readonly format: ImageFormat;
  /** ICC profile of the pixels as they are now: absent where they were converted. */
  readonly icc?: Uint8Array | undefined;
  /** What the file says of its colours by numbers, where that goes before the profile or there is none. */
  readonly color?: StatedColor | undefined;
  /** EXIF as a TIFF structure, without the `Exif\0\0` in front; its orientation is 1, since the pixels are turned. */
  readonly exif?: Uint8Array | undefined;
  /** XMP packet, UTF-8; its orientation is 1 too. */
  readonly xmp?: Uint8Array | undefined;
  /** IPTC records as they are. */
  readonly iptc?: Uint8Array | undefined;
  /** The comment of a JPEG, of whatever characters. */
  readonly comment?: Uint8Array | undefined;
  readonly density?: Density | undefined;
  /** PNG only: whole chunks, length to CRC, byte for byte: those of COLOR_CHUNKS, then tEXt, zTXt, iTXt in their order. */
  readonly pngChunks?: readonly Uint8Array[] | undefined;
  /** What else of it the file holds and no result will, one sentence each: nothing to tell of where metadata is not to be kept. */
  readonly leftOut?: readonly string[] | undefined;
}

/** The chunks of a PNG that say what its colours are. */
export const COLOR_CHUNKS: ReadonlySet<string> = new Set(['gAMA', 'cHRM', 'sRGB', 'cICP', 'mDCV', 'cLLI']);

/** Of what a file holds, that without which its colours are wrong. */
export function colorsAlone({ format, icc, color, pngChunks }: ImageMetadata): ImageMetadata {
  return { format, icc, color, pngChunks: pngChunks?.filter((chunk) => COLOR_CHUNKS.has(chunkType(chunk))) };
}

/** The type of a whole PNG chunk. */
export function chunkType(chunk: Uint8Array): string {
  return Buffer.from(chunk.subarray(4, 8)).toString('latin1');
}

/** The most bytes of each kind that are kept; more is dropped with a warning. */
export const METADATA_LIMITS = {
  icc: 4 << 20,
  exif: 65_000, // a JPEG segment holds 65,533
  iptc: 65_000,
  comment: 65_000,
  xmp: 1 << 20,
  text: 1 << 20,
  textChunks: 200,
} as const;

/** The colour space of an ICC profile, as its header spells it: `RGB `, `GRAY`, `CMYK`, `Lab ` … */
export function iccColorSpace(icc: Uint8Array): string {
  return Buffer.from(icc.subarray(16, 20)).toString('latin1');
}
