import type { OpenJpeg, TiffPage, ValuePlace } from './tiff-pages.ts';
import { END_OF_JPEG } from './tiff-pages.ts';

/** What holds every place that is meant. */
const LONG = 4;

/**
 * Whether every strip or tile that is a JPEG has its end marker or, since some writers leave it out, can be given it. The decoder tells
 * strips that are cut from those that are whole then, as it does not otherwise; of tiles it tells nothing.
 */
export function canCloseJpegs({ openJpegs, tiles }: TiffPage): boolean {
  const hasRoom = ({ length, placeAt, lengthAt }: OpenJpeg): boolean =>
    placeAt.bytes >= LONG && length > 0 && length + END_OF_JPEG.length < 256 ** lengthAt.bytes;
  return openJpegs.length === 0 || (!tiles && openJpegs.every(hasRoom));
}

/** A copy of a TIFF file with strips that are JPEGs moved to its end, each with an end marker behind it. */
export function withClosedJpegs(file: Uint8Array, strips: readonly OpenJpeg[]): Uint8Array {
  const moved = strips.flatMap(({ place, length }) => [file.subarray(place, place + length), END_OF_JPEG]);
  const copy = Buffer.concat([file, ...moved]);
  const isIntel = file[0] === 0x49;
  let end = file.length;
  for (const { place, length, placeAt, lengthAt } of strips) {
    const bytes = Math.max(0, Math.min(length, file.length - place)) + END_OF_JPEG.length;
    write(copy, placeAt, end, isIntel);
    write(copy, lengthAt, bytes, isIntel);
    end += bytes;
  }
  return copy;
}

function write(file: Buffer, { at, bytes }: ValuePlace, value: number, isIntel: boolean): void {
  if (bytes === 8) {
    if (isIntel) file.writeBigUInt64LE(BigInt(value), at);
    else file.writeBigUInt64BE(BigInt(value), at);
  } else if (isIntel) file.writeUIntLE(value, at, bytes);
  else file.writeUIntBE(value, at, bytes);
}
