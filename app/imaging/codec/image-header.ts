import type { LabEncoding } from './pixels/lab-to-srgb.ts';
import { declaredLength, itemsOf, largestImage } from './media-boxes.ts';
import { readTiffPages } from './tiff/tiff-pages.ts';

/** What the first bytes of a file say, without decoding. */
export interface ImageHeader {
  /** In pixels; `undefined` where the header does not tell in a place that is known. */
  readonly size: { readonly width: number; readonly height: number } | undefined;
  /** How long the file says it is, in bytes, where it says so. */
  readonly declaredLength?: number;
  /** A reason not to hand the file to a decoder. */
  readonly refusal?: string;
  /** AVIF: an animation. */
  readonly isSequence?: boolean;
  /** TIFF: how colours are coded where it is L*a*b*, and where in the file the number stands that says so. */
  readonly lab?: { readonly encoding: LabEncoding; readonly valueAt: number };
}

/** Reads the header of a WebP, GIF, TIFF, AVIF or HEIC file: decoders allocate what it promises, so it is checked before them. */
export function readImageHeader(file: Uint8Array, format: 'webp' | 'gif' | 'tiff' | 'avif' | 'heic'): ImageHeader {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  switch (format) {
    case 'gif':
      return { size: bytes.length < 10 ? undefined : { width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8) } };
    case 'webp':
      return { size: webpSize(bytes), declaredLength: bytes.length < 12 ? 12 : bytes.readUInt32LE(4) + 8 };
    case 'tiff':
      return tiffHeader(file);
    case 'avif':
    case 'heic':
      return avifHeader(bytes);
  }
}

/** https://developers.google.com/speed/webp/docs/riff_container: the canvas of VP8X, or the frame of VP8 and VP8L. */
function webpSize(bytes: Buffer): ImageHeader['size'] {
  if (bytes.length < 30) return undefined;
  switch (bytes.toString('latin1', 12, 16)) {
    case 'VP8X':
      return { width: bytes.readUIntLE(24, 3) + 1, height: bytes.readUIntLE(27, 3) + 1 };
    case 'VP8 ':
      return { width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff };
    case 'VP8L': {
      const packed = bytes.readUInt32LE(21);
      return { width: (packed & 0x3fff) + 1, height: ((packed >> 14) & 0x3fff) + 1 };
    }
    default:
      return undefined;
  }
}

const LAB_ENCODINGS: Readonly<Record<number, LabEncoding>> = { 8: 'cielab', 9: 'icclab' };

/** Of the first page. */
function tiffHeader(file: Uint8Array): ImageHeader {
  const [page] = readTiffPages(file);
  if (!page) return { size: undefined };
  const { size, photometric, photometricAt } = page;
  const encoding = LAB_ENCODINGS[photometric];
  return { size, ...(encoding && photometricAt !== undefined ? { lab: { encoding, valueAt: photometricAt } } : {}) };
}

function avifHeader(bytes: Buffer): ImageHeader {
  const isSequence = bytes.toString('latin1', 8, 12) === 'avis';
  const header = { size: largestImage(bytes), declaredLength: declaredLength(bytes), isSequence };
  // A few kilobytes of compressed XMP unpack to gigabytes.
  const isPacked = itemsOf(bytes).some(({ encoding }) => encoding !== '');
  return isPacked
    ? { ...header, refusal: 'expected a picture whose metadata is not compressed, got one whose is' }
    : header;
}
