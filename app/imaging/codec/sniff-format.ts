import { BadImageError, UnsupportedImageError, ACCEPTED } from '../errors.ts';

/** The formats that are read; HEIC where its decoder is installed. */
export type ImageFormat = 'jpeg' | 'png' | 'webp' | 'avif' | 'heic' | 'tiff' | 'gif';

/** As many leading bytes as `sniffFormat` looks at. */
export const SNIFF_BYTES = 512;

/** Magic numbers: where they are in the file, and what the file then is. */
const MAGIC: readonly (readonly [offset: number, bytes: string, format: ImageFormat])[] = [
  [0, '\xff\xd8\xff', 'jpeg'],
  [0, '\x89PNG\r\n\x1a\n', 'png'],
  [0, 'GIF87a', 'gif'],
  [0, 'GIF89a', 'gif'],
  [0, 'II*\0', 'tiff'],
  [0, 'MM\0*', 'tiff'],
  [0, 'II+\0\x08\0\0\0', 'tiff'],
  [0, 'MM\0+\0\x08\0\0', 'tiff'],
];

/** Images and documents that are known and refused. */
const REFUSED: readonly (readonly [offset: number, bytes: string, kind: string])[] = [
  [0, '%PDF', 'a PDF document'],
  [0, 'BM', 'a BMP image'],
  [0, '8BPS', 'a Photoshop document'],
  [0, '\0\0\x01\0', 'an icon (ICO)'],
  [0, '\0\0\0\x0cjP  ', 'a JPEG 2000 image'],
  [0, '\xff\x4f\xff\x51', 'a JPEG 2000 image'],
  [0, '\0\0\0\x0cJXL ', 'a JPEG XL image'],
  [0, '\xff\x0a', 'a JPEG XL image'],
  [0, '#?RADIANCE', 'a Radiance HDR image'],
  [0, 'v/1\x01', 'an OpenEXR image'],
  [0, 'SIMPLE  =', 'a FITS image'],
  [0, '\xb6\xa6\xf2\x08', 'a libvips image'],
  [0, '\x08\xf2\xa6\xb6', 'a libvips image'],
  [0, 'IIU\0', 'a camera raw (RW2) image'],
  [0, 'IIRO', 'a camera raw (ORF) image'],
  [0, 'IIRS', 'a camera raw (ORF) image'],
  [0, 'MMOR', 'a camera raw (ORF) image'],
  [0, 'FUJIFILMCCD-RAW', 'a camera raw (RAF) image'],
  [0, 'FOVb', 'a camera raw (X3F) image'],
  [0, '\0MRM', 'a camera raw (MRW) image'],
  [6, 'HEAPCCDR', 'a camera raw (CRW) image'],
  [0, '\x1f\x8b', 'gzip-compressed data'],
  [0, 'PK\x03\x04', 'a zip archive'],
  [0, '\x1aE\xdf\xa3', 'a video'],
];

/**
 * What a file is by its first bytes; its name and declared type count for nothing.
 *
 * @param head the first `SNIFF_BYTES` bytes, or the whole file if it is shorter
 * @param name for messages
 * @throws UnsupportedImageError for images and documents that are not read, BadImageError for what is no image
 */
export function sniffFormat(head: Uint8Array, name: string): ImageFormat {
  const text = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, SNIFF_BYTES)).toString('latin1');
  if (text === '') throw new BadImageError(name, `expected ${ACCEPTED}, got an empty file`);
  const found = MAGIC.find(([offset, bytes]) => text.startsWith(bytes, offset));
  if (found) return found[2];
  if (text.startsWith('RIFF') && text.startsWith('WEBP', 8)) return 'webp';
  if (text.startsWith('ftyp', 4)) return sniffMedia(text, name);
  const refused = REFUSED.find(([offset, bytes]) => text.startsWith(bytes, offset));
  if (refused) throw new UnsupportedImageError(name, refused[2]);
  if (/<svg[\s>]/i.test(text)) throw new UnsupportedImageError(name, 'an SVG drawing');
  if (/^P[1-7Ff][\s#]/.test(text)) throw new UnsupportedImageError(name, 'a PPM image');
  throw new BadImageError(name, `expected ${ACCEPTED}, got ${describe(text)}`);
}

/** ISO base media: AVIF says so among its brands; HEIC and videos are the same container. */
function sniffMedia(text: string, name: string): ImageFormat {
  const size = Buffer.from(text.slice(0, 4), 'latin1').readUInt32BE();
  const brands = [text.slice(8, 12), ...(text.slice(16, size).match(/.{4}/gs) ?? [])];
  if (brands.includes('avif') || brands.includes('avis')) return 'avif';
  if (brands[0] === 'crx ') throw new UnsupportedImageError(name, 'a camera raw (CR3) image');
  if (brands.some((brand) => /^(hei[cxms]|hev[cxms]|mif1|msf1)$/.test(brand))) return 'heic';
  throw new UnsupportedImageError(name, 'a video');
}

function describe(text: string): string {
  const plain = text.replace(/^\xef\xbb\xbf/, '').trimStart();
  if (/^<(!doctype html|html|head|body)/i.test(plain)) return 'an HTML page';
  // eslint-disable-next-line no-control-regex -- what tells text from binary is that it has none of them
  if (!/[\0-\x08\x0e-\x1f\x7f]/.test(text)) return 'a text file';
  const start = Buffer.from(text.slice(0, 8), 'latin1').toString('hex');
  return `a file that starts with the bytes ${start}`;
}
