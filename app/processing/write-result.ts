import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { putInPlace } from '../files/put-in-place.ts';
import type { DecodedImage } from '../imaging/codec/codec.ts';
import { encodeImage } from '../imaging/codec/codec.ts';
import { withTexts } from '../imaging/codec/metadata/image-texts.ts';
import { colorsAlone } from '../imaging/codec/metadata/metadata.ts';
import type { ScratchImage } from '../imaging/scratch-image.ts';
import type { OutputFormat } from '../options/output-formats.ts';
import { extensionOf } from '../options/output-formats.ts';
import type { OutputOptions } from '../options/output-options.ts';

/** What is known of a source when its pixels are no longer needed. */
export type SourceTold = Omit<DecodedImage, 'image'>;

/**
 * Writes a result and disposes of its image. It gets its name by a rename: a file at `file` is always whole.
 * @param turn is waited for before it gets that name
 * @returns what is to be told of the file, one sentence each
 * @throws OutputFormatError, ScratchSpaceError; what the system says of a file that cannot be written
 */
export async function writeResult(
  image: ScratchImage,
  how: {
    readonly file: string;
    readonly format: OutputFormat;
    readonly source: SourceTold;
    readonly output: OutputOptions;
    readonly scratch: string;
    readonly texts: Readonly<Record<string, string>>;
  },
  turn: Promise<void>,
): Promise<readonly string[]> {
  const { file, format, source: read, scratch, texts } = how;
  const { quality, lossless, metadata } = how.output;
  const partial = partialIn(scratch, format);
  try {
    const source = Object.keys(texts).length > 0 ? withTexts(read.metadata, format, texts) : read.metadata;
    const kept = metadata === 'keep' ? source : colorsAlone(source);
    const written = { format, quality, lossless, isSourceLossless: read.isLossless, metadata: kept };
    const warnings = await encodeImage(image, partial, written);
    await turn;
    await putInPlace(partial, file);
    return warnings;
  } finally {
    image.dispose();
    await rm(partial, { force: true }); // it is there where it could not be written whole, or not be put in place
  }
}

/** A file that no other result is written under at the same time; short, since a result's own name may be as long as a name can be. */
export function partialIn(scratch: string, format: OutputFormat): string {
  return join(scratch, `${randomUUID()}.${extensionOf(format)}`);
}
