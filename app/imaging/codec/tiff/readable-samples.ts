import { UnsupportedImageError } from '../../errors.ts';
import type { TiffPage } from './tiff-pages.ts';
import { JPEG } from './tiff-pages.ts';

/** Samples that the decoder reads in whatever channels there are, in bits. */
const WHOLE_BYTES: ReadonlySet<number> = new Set([8, 16]);
/** Those that it reads where there is one channel, of gray or of a palette. */
const PARTS_OF_BYTES: ReadonlySet<number> = new Set([1, 2, 4]);
/** PhotometricInterpretation: white is 0, black is 0, RGB by a palette. */
const ONE_COLOR_CHANNEL: ReadonlySet<number> = new Set([0, 1, 3]);
/** PhotometricInterpretation: brightness and two numbers of colour, which decoders make RGB of. */
export const YCBCR = 6;
/** SampleFormat, where samples are no unsigned numbers; 4 is "not told". */
const OTHER_NUMBERS: ReadonlyMap<number, string> = new Map([
  [2, 'signed'],
  [3, 'floating-point (float)'],
  [5, 'complex'],
  [6, 'complex (float)'],
]);

/**
 * Refuses samples that the decoder does not read, of which it would say that the file is damaged, and those that it reads wrong
 * without a word: CMYK of 32 bits, YCbCr that is told for every pixel and is no JPEG, and gray or a palette with a channel beside it that lies
 * in a plane of its own, or in parts of bytes.
 * @param name what messages call the file
 * @throws UnsupportedImageError
 */
export function assertReadableSamples(page: TiffPage, name: string): void {
  const kind = unreadable(page);
  if (kind !== undefined) throw new UnsupportedImageError(name, `a TIFF ${kind}`);
}

function unreadable(page: TiffPage): string | undefined {
  const { bits, sampleFormats, channels, photometric, compression, subsampling, arePlanesApart, tiles } = page;
  const [size] = bits;
  if (size === undefined) return undefined; // the decoder has a number for it, or words where the file is cut
  const numbers = sampleFormats.map((format) => OTHER_NUMBERS.get(format)).find((found) => found !== undefined);
  if (numbers !== undefined) return `of ${numbers} numbers of ${size} bits instead of whole ones of 8 or 16`;
  const isOneColor = ONE_COLOR_CHANNEL.has(photometric);
  const isPacked = PARTS_OF_BYTES.has(size) && channels === 1 && isOneColor;
  if (bits.some((other) => other !== size) || (!isPacked && !WHOLE_BYTES.has(size))) {
    return `whose samples have ${[...new Set(bits)].join(', ')} bits instead of 8 or 16`;
  }
  if (photometric === YCBCR && compression !== JPEG && isFull(subsampling)) {
    return 'of YCbCr that is not compressed by JPEG';
  }
  const isReadApart = tiles === undefined && !isOneColor;
  return arePlanesApart && channels > 1 && !isReadApart
    ? 'whose channels lie apart (PlanarConfiguration 2)'
    : undefined;
}

/** Whether there is a colour for every pixel; where nothing is said there is not. */
function isFull(subsampling: readonly number[]): boolean {
  return subsampling.length > 0 && subsampling.every((pixels) => pixels === 1);
}
