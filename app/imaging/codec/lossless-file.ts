import { boxAt, boxesIn } from './media-boxes.ts';
import type { RiffChunk } from './riff-chunks.ts';
import { riffChunks } from './riff-chunks.ts';
import type { ImageFormat } from './sniff-format.ts';

/** Of ITU-T H.273: red, green and blue are coded as they are, which is done where nothing is to be lost. */
const IDENTITY_MATRIX = 0;
const LOSSLESS = 'VP8L';
/** The chunks of a WebP that are a picture, or hold one. */
const PICTURES: ReadonlySet<string> = new Set(['VP8 ', LOSSLESS, 'ANMF']);
const FRAME_PLACE_BYTES = 16;

/** Whether a file is of a format that may lose something, and says that it does not: lossless WebP, AVIF in RGB. */
export function isLosslessFile(file: Uint8Array, format: ImageFormat): boolean {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  if (format === 'webp') return isLosslessWebp(bytes);
  return format === 'avif' && isRgbAvif(bytes);
}

/** Whether the first frame of a WebP is coded so that it loses nothing. */
function isLosslessWebp(bytes: Buffer): boolean {
  const first = pictureIn(riffChunks(bytes));
  if (first?.type !== 'ANMF') return first?.type === LOSSLESS;
  // An animation's frame has chunks of its own after its place.
  return pictureIn(riffChunks(first.data, FRAME_PLACE_BYTES))?.type === LOSSLESS;
}

function pictureIn(chunks: Iterable<RiffChunk>): RiffChunk | undefined {
  for (const chunk of chunks) if (PICTURES.has(chunk.type)) return chunk;
  return undefined;
}

function isRgbAvif(bytes: Buffer): boolean {
  const properties = boxAt(bytes, 'meta', 'iprp', 'ipco');
  if (!properties) return false;
  return boxesIn(bytes, properties.start, properties.end).some(
    ({ type, start, end }) =>
      type === 'colr' &&
      end - start >= 11 &&
      bytes.toString('latin1', start, start + 4) === 'nclx' &&
      bytes.readUInt16BE(start + 8) === IDENTITY_MATRIX,
  );
}
