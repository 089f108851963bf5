import type { Density } from '../metadata/density.ts';
import { densityInUnit } from '../metadata/density.ts';
import { entryOffsets, openTiff } from './exif-tree.ts';

const TAG = { xResolution: 282, yResolution: 283, resolutionUnit: 296 } as const;
const RATIONAL = 5;

/** What the first directory of EXIF says of its pixels' size, by axis. */
export function densityInExif(bytes: Uint8Array): Density | undefined {
  const tiff = openTiff(bytes);
  if (!tiff) return undefined;
  const { view, isIntel } = tiff;
  const entries = entryOffsets(tiff, tiff.firstDirectory);
  const find = (tag: number): number | undefined => entries.find((at) => view.getUint16(at, isIntel) === tag);
  const ratioAt = (entry: number | undefined): number => {
    if (entry === undefined || view.getUint16(entry + 2, isIntel) !== RATIONAL) return 0;
    const at = view.getUint32(entry + 8, isIntel);
    return at + 8 > view.byteLength ? 0 : view.getUint32(at, isIntel) / view.getUint32(at + 4, isIntel);
  };
  const unitAt = find(TAG.resolutionUnit);
  const unit = unitAt === undefined ? undefined : view.getUint16(unitAt + 8, isIntel);
  return densityInUnit(ratioAt(find(TAG.xResolution)), ratioAt(find(TAG.yResolution)), unit);
}
