import { hasUserComment, withUserComment } from './exif.ts';
import type { OutputFormat } from '../../options/output-formats.ts';
import { formatLabels, traitsOf } from '../../options/output-formats.ts';
import type { ImageShape } from '../image.ts';
import type { OutputColors } from './color/output-colors.ts';
import { outputColors } from './color/output-colors.ts';
import { hasAlpha } from '../image.ts';
import type { ImageMetadata } from './metadata.ts';
import { chunkType, METADATA_LIMITS } from './metadata.ts';
import { PARAMETERS } from './image-texts.ts';
import { makeXmpChunk, readPngText, XMP_KEYWORD } from './png-chunks.ts';

/** What of a source's metadata goes into a result, and what a reader of the result should know. */
export interface OutputMetadata extends Omit<OutputColors, 'chunks'> {
  readonly exif: Uint8Array | undefined;
  /** For formats whose writer takes it; in PNG it is a chunk. */
  readonly xmp: Uint8Array | undefined;
  /** Pixels per inch. */
  readonly density: number | undefined;
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
  const warnings = [...shapeWarnings(shape, format), ...colorWarnings];
  const { holdsTexts } = traitsOf(format);
  const texts = (source.pngChunks ?? []).filter(isText);
  return {
    ...colors,
    exif: holdsTexts ? source.exif : withParameters(source.exif, texts, warnings),
    xmp: holdsTexts ? undefined : xmpFor(format, source.xmp, warnings),
    density: source.density,
    pngChunks: [...chunks, ...(holdsTexts ? [...texts, ...xmpChunks(texts, source.xmp)] : [])],
    warnings,
  };
}

/** XMP of a source that was no PNG; a PNG has it among its texts, which stay as they are. */
function xmpChunks(texts: readonly Uint8Array[], xmp: Uint8Array | undefined): Uint8Array[] {
  return xmp && !texts.some((chunk) => readPngText(chunk)?.keyword === XMP_KEYWORD) ? [makeXmpChunk(xmp)] : [];
}

function shapeWarnings({ channels, depth }: ImageShape, format: OutputFormat): string[] {
  const { label, holds16, holdsAlpha } = traitsOf(format);
  return [
    ...(hasAlpha(channels) && !holdsAlpha ? [`${label} has no transparency: the image is laid on white`] : []),
    ...(depth === 16 && !holds16 ? [`16 bits are reduced to 8 in ${format.toUpperCase()}`] : []),
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
  const texts = chunks.map((chunk) => readPngText(chunk));
  const parameters = texts.find((text) => text?.keyword === PARAMETERS);
  const others = texts.filter((text) => text?.keyword !== PARAMETERS && text?.keyword !== XMP_KEYWORD);
  if (others.length > 0)
    warnings.push(
      `${others.length} PNG text chunks are left out: only ${formatLabels('and', ({ holdsTexts }) => holdsTexts)} holds them`,
    );
  if (!parameters || (exif && hasUserComment(exif))) return exif;
  const commented = withUserComment(exif, parameters.text);
  if (commented.length <= METADATA_LIMITS.exif) return commented;
  warnings.push(`the text ${PARAMETERS} is left out: EXIF holds ${METADATA_LIMITS.exif} bytes`);
  return exif;
}

function xmpFor(format: OutputFormat, xmp: Uint8Array | undefined, warnings: string[]): Uint8Array | undefined {
  const { label, maxXmpBytes = Infinity } = traitsOf(format);
  if (!xmp || xmp.length <= maxXmpBytes) return xmp;
  warnings.push(`XMP of ${xmp.length} bytes is left out: ${label} holds ${maxXmpBytes}`);
  return undefined;
}
