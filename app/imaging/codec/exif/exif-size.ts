import { entryOffsets, openTiff, TAG } from './exif-tree.ts';

/** A size in pixels. */
interface Size {
  readonly width: number;
  readonly height: number;
}

/** Tags of the first directory, and of the EXIF directory, that say the picture's size. */
const WIDTH_TAGS: ReadonlySet<number> = new Set([0x0100, 0xa002]);
const HEIGHT_TAGS: ReadonlySet<number> = new Set([0x0101, 0xa003]);
const SHORT = 3;
const LONG = 4;
const MAX_SHORT = 65_535;

/** A copy of EXIF in which the sizes that it says are `size`; what it does not say is not added, and nothing moves. */
export function withExifSize(exif: Uint8Array, size: Size): Uint8Array {
  const copy = Uint8Array.from(exif);
  const tiff = openTiff(copy);
  if (!tiff) return copy;
  const { view, isIntel, firstDirectory } = tiff;
  const first = entryOffsets(tiff, firstDirectory);
  const pointer = first.find((at) => view.getUint16(at, isIntel) === TAG.exif);
  const inner = pointer === undefined ? [] : entryOffsets(tiff, view.getUint32(pointer + 8, isIntel));
  for (const at of [...first, ...inner]) {
    const tag = view.getUint16(at, isIntel);
    if (WIDTH_TAGS.has(tag)) writeNumber(view, at, size.width, isIntel);
    if (HEIGHT_TAGS.has(tag)) writeNumber(view, at, size.height, isIntel);
  }
  return copy;
}

/** Writes the value of an entry that is one whole number, in its own type where that holds it. */
function writeNumber(view: DataView, at: number, value: number, isIntel: boolean): void {
  const type = view.getUint16(at + 2, isIntel);
  if ((type !== SHORT && type !== LONG) || view.getUint32(at + 4, isIntel) !== 1) return;
  view.setUint32(at + 8, 0, isIntel);
  if (type === SHORT && value <= MAX_SHORT) {
    view.setUint16(at + 8, value, isIntel);
    return;
  }
  view.setUint16(at + 2, LONG, isIntel);
  view.setUint32(at + 8, value, isIntel);
}
