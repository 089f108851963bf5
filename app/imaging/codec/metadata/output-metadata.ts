import type { Density } from './density.ts';
import { hasUserComment, withUserComment } from '../exif/exif.ts';
import { withExifSize } from '../exif/exif-size.ts';
import { withXmpSize } from '../exif/xmp-edits.ts';
import type { OutputFormat } from '../../../options/output-formats.ts';
import { formatLabels, traitsOf } from '../../../options/output-formats.ts';
import type { ImageShape } from '../../image.ts';
import type { OutputColors } from '../color/output-colors.ts';
import { outputColors } from '../color/output-colors.ts';
import { hasAlpha } from '../../image.ts';
import type { ImageMetadata } from './metadata.ts';
import { chunkType, METADATA_LIMITS } from './metadata.ts';
import { PARAMETERS } from './image-texts.ts';
import { textOf } from './png-text.ts';
import { makeXmpChunk, XMP_KEYWORD } from '../png-chunks.ts';

/** What of a source's metadata goes into a result, and what a reader of the result should know. */
export interface OutputMetadata extends Omit<OutputColors, 'chunks'> {
  readonly exif: Uint8Array | undefined;
  /** For formats whose writer takes it; in PNG it is a chunk. */
  readonly xmp: Uint8Array | undefined;
  /** For JPEG and TIFF. */
  readonly iptc: Uint8Array | undefined;
  /** For JPEG. */
  readonly comment: Uint8Array | undefined;
  readonly density: Density | undefined;
  /** What PNG says in chunks of their own: colours and texts. */
  readonly pngChunks: readonly Uint8Array[];
  readonly warnings: readonly string[];
}

/**
 * Fits metadata to an output format: PNG takes texts as they are, other formats take the text `parameters` as an EXIF user
 * comment; colours are said in the words that the format has.
 */
export function outputMetadata(
  shape: ImageShape,
  format: OutputFormat,
  source: Partial<ImageMetadata>,
): OutputMetadata {
  const { chunks, warnings: colorWarnings, ...colors } = outputColors(shape, format, source);
  const warnings = [...shapeWarnings(shape, format, colors), ...colorWarnings, ...(source.leftOut ?? [])];
  const { holdsTexts } = traitsOf(format);
  const exif = source.exif && withExifSize(source.exif, shape);
  const xmp = source.xmp && withXmpSize(source.xmp, shape);
  const texts = (source.pngChunks ?? []).filter(isText);
  return {
    ...colors,
    exif: holdsTexts ? exif : withParameters(exif, texts, warnings),
    xmp: holdsTexts ? undefined : xmpFor(format, xmp, warnings),
    iptc: heldBy(format, 'holdsIptc', source.iptc, warnings),
    comment: heldBy(format, 'holdsComment', source.comment, warnings),
    density: source.density,
    pngChunks: [...chunks, ...(holdsTexts ? withXmp(texts, xmp) : [])],
    warnings,
  };
}

/** The texts of a PNG with XMP: it stays the chunk that it was where it says the same, and there is one for a source without. */
function withXmp(texts: readonly Uint8Array[], xmp: Uint8Array | undefined): readonly Uint8Array[] {
  if (!xmp) return texts;
  const isXmp = (chunk: Uint8Array): boolean => textOf(chunk)?.[0] === XMP_KEYWORD;
  const packet = Buffer.from(xmp).toString('utf8');
  const told = texts.map((chunk) => (isXmp(chunk) && textOf(chunk)?.[1] !== packet ? makeXmpChunk(xmp) : chunk));
  return texts.some(isXmp) ? told : [...texts, makeXmpChunk(xmp)];
}

function shapeWarnings(
  { channels, depth }: ImageShape,
  format: OutputFormat,
  { isConvertedToSrgb }: Pick<OutputColors, 'isConvertedToSrgb'>,
): string[] {
  const { label, holdsAlpha, ...traits } = traitsOf(format);
  const bits = isConvertedToSrgb ? 8 : traits.bits;
  return [
    ...(hasAlpha(channels) && !holdsAlpha ? [`${label} has no transparency: the image is laid on white`] : []),
    ...(depth > bits ? [`${depth} bits are reduced to ${bits} in ${format.toUpperCase()}`] : []),
  ];
}

/** Whether a chunk is text, not colour. */
function isText(chunk: Uint8Array): boolean {
  return chunkType(chunk).endsWith('Xt');
}

function withParameters(
  exif: Uint8Array | undefined,
  chunks: readonly Uint8Array[],
  warnings: string[],
): Uint8Array | undefined {
  const texts = chunks.map(textOf);
  const parameters = texts.find((text) => text?.[0] === PARAMETERS)?.[1];
  const others = texts.filter((text) => text?.[0] !== PARAMETERS && text?.[0] !== XMP_KEYWORD);
  if (others.length > 0)
    warnings.push(
      `${others.length} PNG text chunks are left out: only ${formatLabels('and', ({ holdsTexts }) => holdsTexts)} holds them`,
    );
  if (parameters === undefined || (exif && hasUserComment(exif))) return exif;
  const commented = withUserComment(exif, parameters);
  if (commented.length <= METADATA_LIMITS.exif) return commented;
  warnings.push(`the text ${PARAMETERS} is left out: EXIF holds ${METADATA_LIMITS.exif} bytes`);
  return exif;
}

const NAMES = { holdsIptc: 'IPTC', holdsComment: 'the comment of the file' } as const;

function heldBy(
  format: OutputFormat,
  trait: keyof typeof NAMES,
  bytes: Uint8Array | undefined,
  warnings: string[],
): Uint8Array | undefined {
  if (!bytes || traitsOf(format)[trait] === true) return bytes;
  const others = formatLabels('and', (traits) => traits[trait] === true);
  warnings.push(`${NAMES[trait]} is left out: only ${others} ${others.includes(' and ') ? 'hold' : 'holds'} it`);
  return undefined;
}

function xmpFor(format: OutputFormat, xmp: Uint8Array | undefined, warnings: string[]): Uint8Array | undefined {
  const { label, maxXmpBytes = Infinity } = traitsOf(format);
  if (!xmp || xmp.length <= maxXmpBytes) return xmp;
  warnings.push(`XMP of ${xmp.length} bytes is left out: ${label} holds ${maxXmpBytes}`);
  return undefined;
}
