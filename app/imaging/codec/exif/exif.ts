import type { Entry, TiffStructure } from './exif-tree.ts';
import { entryOffsets, openTiff, openTiffFile, readDirectory, TAG, writeTiff } from './exif-tree.ts';

const LONG = 4;
const UNDEFINED = 7;

/**
 * Tags of a TIFF file's own directory that describe the picture, not how it is stored: description, make, model,
 * software, date, artist, rating, copyright, Windows' XP tags, and the EXIF and GPS directories.
 */
const DESCRIPTIVE: ReadonlySet<number> = new Set([
  270,
  271,
  272,
  305,
  306,
  315,
  18246,
  18249,
  33432,
  40091,
  40092,
  40093,
  40094,
  40095,
  TAG.exif,
  TAG.gps,
]);

/** The TIFF structure of an EXIF block, without an `Exif\0\0` in front; `undefined` if there is none in it. */
export function exifBody(block: Uint8Array): Uint8Array | undefined {
  const hasPrefix = Buffer.from(block.subarray(0, 6)).toString('latin1') === 'Exif\0\0';
  const body = hasPrefix ? block.subarray(6) : block;
  return openTiff(body) ? Uint8Array.from(body) : undefined;
}

/**
 * A copy that says the picture stands upright. Where it did not, the thumbnail (which was not turned with the picture) is
 * cut off; nothing else moves, so that makers' notes stay readable.
 */
export function resetOrientation(exif: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(exif);
  const tiff = openTiff(copy);
  if (!tiff) return copy;
  const { view, isIntel } = tiff;
  const entries = entryOffsets(tiff, tiff.firstDirectory);
  const at = entries.find((entry) => view.getUint16(entry, isIntel) === TAG.orientation);
  if (at === undefined) return copy;
  const isLong = view.getUint16(at + 2, isIntel) === LONG;
  if ((isLong ? view.getUint32(at + 8, isIntel) : view.getUint16(at + 8, isIntel)) === 1) return copy;
  if (isLong) view.setUint32(at + 8, 1, isIntel);
  else view.setUint16(at + 8, 1, isIntel);
  const next = tiff.firstDirectory + 2 + entries.length * 12;
  if (next + 4 <= view.byteLength) view.setUint32(next, 0, isIntel);
  return copy;
}

/** EXIF that says nothing but how a picture is turned, as another says it; undefined where that does not. */
export function orientationAlone(exif: Uint8Array): Uint8Array | undefined {
  const body = exifBody(exif);
  const tiff = body && openTiff(body);
  const entries = tiff ? readDirectory(tiff, tiff.firstDirectory, (tag) => tag === TAG.orientation) : [];
  return entries.length > 0 ? writeTiff(entries) : undefined;
}

/** Whether there is a user comment, which is where programs that make images put their parameters. */
export function hasUserComment(exif: Uint8Array): boolean {
  const tiff = openTiff(exif);
  const entries = tiff ? readDirectory(tiff, tiff.firstDirectory, (tag) => tag === TAG.exif) : [];
  return entries.some(({ child }) => child?.some(({ tag }) => tag === TAG.userComment) ?? false);
}

/** The user comment, in any of the forms that programs write it in; undefined where there is none, or it says nothing. */
export function readUserComment(exif: Uint8Array): string | undefined {
  const tiff = openTiff(exif);
  const entries = tiff
    ? readDirectory(tiff, tiff.firstDirectory, (tag) => tag === TAG.exif || tag === TAG.userComment)
    : [];
  const found = [...entries, ...entries.flatMap(({ child }) => child ?? [])].find(({ tag }) => tag === TAG.userComment);
  if (!tiff || !found) return undefined;
  const code = Buffer.from(found.value.subarray(0, 8)).toString('latin1');
  const text = Buffer.from(found.value.subarray(8));
  const comment = code === 'UNICODE\0' ? utf16(text, tiff.isIntel) : text.toString('utf8');
  return comment.replace(/\0+$/, '').trim() || undefined;
}

/** The standard says the byte order is that of the file; A1111 and its readers write and read the big-endian one. */
function utf16(bytes: Buffer, isIntel: boolean): string {
  const even = bytes.subarray(0, bytes.length - (bytes.length % 2));
  const zeros = [0, 1].map((first) => even.filter((byte, at) => at % 2 === first && byte === 0).length) as [
    number,
    number,
  ];
  const isBig = zeros[0] === zeros[1] ? !isIntel : zeros[0] > zeros[1];
  return (isBig ? Buffer.from(even).swap16() : even).toString('utf16le');
}

/** EXIF with a user comment added, in the form that A1111 and its readers use: `UNICODE\0`, then UTF-16 big-endian. */
export function withUserComment(exif: Uint8Array | undefined, text: string): Uint8Array {
  const value = Buffer.concat([Buffer.from('UNICODE\0', 'latin1'), Buffer.from(text, 'utf16le').swap16()]);
  const comment: Entry = { tag: TAG.userComment, type: UNDEFINED, count: value.length, value };
  const tiff = exif && openTiff(exif);
  const entries = tiff ? readDirectory(tiff, tiff.firstDirectory) : [];
  const existing = entries.find(({ tag }) => tag === TAG.exif);
  const others = entries.filter((entry) => entry !== existing);
  return writeTiff([...others, pointer(TAG.exif, [...(existing?.child ?? []), comment])]);
}

/** The EXIF block that the directory of a TIFF file amounts to; `undefined` if it describes nothing. */
export function exifOfTiffFile(file: Uint8Array): Uint8Array | undefined {
  const tiff = openTiffFile(file);
  const entries = tiff ? descriptiveEntries(tiff) : [];
  return entries.length > 0 ? writeTiff(entries) : undefined;
}

/** The entries of a TIFF structure that describe the picture. */
export function descriptiveEntries(tiff: TiffStructure): Entry[] {
  return readDirectory(tiff, tiff.firstDirectory, (tag) => DESCRIPTIVE.has(tag));
}

function pointer(tag: number, child: readonly Entry[]): Entry {
  return { tag, type: LONG, count: 1, value: new Uint8Array(4), child };
}
