import type { OutputFormat } from '../../../options/output-formats.ts';
import { traitsOf } from '../../../options/output-formats.ts';
import { exifBody, exifOfTiffFile, readUserComment } from '../exif/exif.ts';
import { readJpegParts } from '../jpeg-segments.ts';
import type { ImageMetadata } from './metadata.ts';
import { METADATA_LIMITS } from './metadata.ts';
import { makePngChunk, readPngChunk, readPngParts } from '../png-chunks.ts';
import { textOf } from './png-text.ts';
import { riffChunks } from '../riff-chunks.ts';
import { sniffFormat, SNIFF_BYTES } from '../sniff-format.ts';

/** The text in which A1111 and its like keep how an image was made: a PNG's, or elsewhere the comment of its EXIF. */
export const PARAMETERS = 'parameters';

/** What an image file says in words. */
export interface ImageTexts {
  /** A PNG's texts by their keywords; of several of one keyword the last. */
  readonly texts: ReadonlyMap<string, string>;
  /** The user comment of its EXIF. */
  readonly comment: string | undefined;
}

/**
 * Reads the texts of a PNG and the user comment of a PNG, JPEG, WebP or TIFF file. Nothing of its pixels is looked at, and no
 * text larger than 1 MiB is inflated.
 * @param name what messages call the file
 * @throws BadImageError, UnsupportedImageError
 */
export function readImageTexts(file: Uint8Array, name: string): ImageTexts {
  const format = sniffFormat(file.subarray(0, SNIFF_BYTES), name);
  const chunks = format === 'png' ? readPngParts(file, name).chunks : [];
  const texts = new Map(chunks.map(textOf).filter((text) => text !== undefined));
  const exif = EXIF_READERS[format]?.(Buffer.from(file.buffer, file.byteOffset, file.byteLength), name);
  return { texts, comment: exif && readUserComment(exif) };
}

/**
 * Metadata with further texts, where the format of the result holds texts; one of the same keyword is replaced. A source that
 * keeps its `parameters` as an EXIF comment has them as a text as well then.
 */
export function withTexts(
  metadata: ImageMetadata,
  format: OutputFormat,
  texts: Readonly<Record<string, string>>,
): ImageMetadata {
  if (!traitsOf(format).holdsTexts) return metadata;
  const given = metadata.pngChunks ?? [];
  const keywordOf = (chunk: Uint8Array): string | undefined => textOf(chunk)?.[0];
  const kept = given.filter((chunk) => !Object.hasOwn(texts, keywordOf(chunk) ?? ''));
  const hasParameters = kept.some((chunk) => keywordOf(chunk) === PARAMETERS);
  const comment = hasParameters ? undefined : metadata.exif && readUserComment(metadata.exif);
  const all = { ...(comment !== undefined && { [PARAMETERS]: comment }), ...texts };
  return { ...metadata, pngChunks: [...kept, ...Object.entries(all).map(([name, text]) => textChunk(name, text))] };
}

/** Where each format has its EXIF: a TIFF structure without what stands in front of it. */
const EXIF_READERS: Readonly<Record<string, (file: Buffer, name: string) => Uint8Array | undefined>> = {
  png: (file) => exifIn(readPngChunk(file, 'eXIf')),
  jpeg: (file, name) => exifIn(readJpegParts(file, name).exif),
  webp: (file) => exifIn([...riffChunks(file)].find(({ type }) => type === 'EXIF')?.data),
  tiff: exifOfTiffFile,
};

function exifIn(block: Uint8Array | undefined): Uint8Array | undefined {
  return block && block.length <= METADATA_LIMITS.exif + 8 ? exifBody(block) : undefined;
}

/** tEXt where Latin-1 holds the text, which is what most readers look for; else iTXt. */
function textChunk(keyword: string, text: string): Uint8Array {
  const isLatin1 = /^[\n\x20-\x7e\xa0-\xff]*$/.test(text);
  return isLatin1
    ? makePngChunk('tEXt', Buffer.from(`${keyword}\0${text}`, 'latin1'))
    : makePngChunk('iTXt', Buffer.from(`${keyword}\0\0\0\0\0${text}`, 'utf8'));
}
