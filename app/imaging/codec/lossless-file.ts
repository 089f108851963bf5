import { boxAt, boxesIn } from './media-boxes.ts';
import type { ImageFormat } from './sniff-format.ts';

/** Of ITU-T H.273: red, green and blue are coded as they are, which is done where nothing is to be lost. */
const IDENTITY_MATRIX = 0;

/** Whether a file is of a format that may lose something, and says that it does not: lossless WebP, AVIF in RGB. */
export function isLosslessFile(file: Uint8Array, format: ImageFormat): boolean {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  if (format === 'webp') return webpCoding(bytes) === 'VP8L';
  return format === 'avif' && isRgbAvif(bytes);
}

/** How the first frame of a WebP is coded: `VP8 ` or `VP8L`. */
function webpCoding(bytes: Buffer): string | undefined {
  for (let at = 12; at + 8 <= bytes.length;) {
    const type = bytes.toString('latin1', at, at + 4);
    if (type === 'VP8 ' || type === 'VP8L') return type;
    const length = bytes.readUInt32LE(at + 4);
    at += type === 'ANMF' ? 8 + 16 : 8 + length + (length % 2); // an animation's frame has chunks of its own after its place
  }
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
