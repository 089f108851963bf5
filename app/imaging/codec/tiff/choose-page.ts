import { notWhole, UnsupportedImageError } from '../../errors.ts';
import { assertReadableSamples } from './readable-samples.ts';
import { canCloseJpegs } from './closed-jpegs.ts';
import type { TiffPage } from './tiff-pages.ts';

/** The page of a TIFF file that is its picture, and how it is to be read. */
export interface ChosenPage {
  /** Its number, from 0. */
  readonly index: number;
  readonly page: TiffPage;
  /** Channels besides the colours; 0 where what there is needs no choice. */
  readonly extraChannels: number;
  /** Which of them is alpha. */
  readonly alpha: number | undefined;
  readonly isGray: boolean;
  /** Whether it says what its channels are, as far as they are not colours. */
  readonly isInOrder: boolean;
  readonly warnings: readonly string[];
}

/** PhotometricInterpretation of sensors: a colour filter array, and what comes of one before it is a picture. */
const SENSOR: ReadonlySet<number> = new Set([32_803, 34_892]);
/** Channels of colour by PhotometricInterpretation; all others have one. */
const COLOR_CHANNELS: ReadonlyMap<number, number> = new Map([
  [2, 3],
  [5, 4],
  [6, 3],
  [8, 3],
  [9, 3],
]);
const UNSPECIFIED = 0;
const PALETTE = 3;
/** What the decoder takes. */
const MAX_CHANNELS = 5;

/**
 * The first page that is no smaller copy of another one.
 * @param name what messages call the file
 * @throws UnsupportedImageError for a camera's raw file, for one whose picture lies where it is not read, and for samples that are not
 * @throws BadImageError where the JPEGs that it is packed in have no end, or its palette is
 */
export function choosePage(pages: readonly TiffPage[], name: string): ChosenPage | undefined {
  const [first] = pages;
  if (!first) return undefined;
  const all = pages.flatMap((page) => [page, ...page.children]);
  if (all.some(({ isDng }) => isDng)) throw new UnsupportedImageError(name, 'a camera raw (DNG) image');
  if (all.some(({ photometric }) => SENSOR.has(photometric))) {
    throw new UnsupportedImageError(name, 'a camera raw image');
  }
  const found = pages.findIndex(({ isReduced }) => !isReduced);
  if (found < 0 && first.children.some(({ isReduced }) => !isReduced)) {
    throw new UnsupportedImageError(name, 'a TIFF whose page is a thumbnail of a picture in a sub-directory');
  }
  const index = Math.max(found, 0);
  const page = pages[index] ?? first;
  if (!canCloseJpegs(page)) {
    const parts = page.tiles ? 'tiles' : 'strips';
    throw notWhole({ name, format: 'tiff' }, `${page.openJpegs.length} of its ${parts}, which are JPEGs, have no end`);
  }
  const extra = extraChannels(page, name);
  assertReadableSamples(page, name);
  if (page.photometric === PALETTE && !page.hasPalette) {
    throw notWhole({ name, format: 'tiff' }, 'its palette, the ColorMap, is missing or cut'); // the decoder takes the indexes for gray
  }
  const [isGray, isInOrder] = [page.photometric <= 1, extra.extraChannels === 0 || page.extraSamples !== undefined];
  return {
    index,
    page,
    ...extra,
    isGray,
    isInOrder,
    warnings: [
      ...reducedWarning(found, pages.length),
      ...extra.warnings,
      ...sparseWarning(page),
      ...profileWarning(page),
    ],
  };
}

function reducedWarning(found: number, pages: number): string[] {
  if (found > 0) return [`page 1 is a smaller copy; page ${found + 1} of ${pages} is used`];
  return found < 0 ? ['the file says that it is a smaller copy of another picture, which is not in it'] : [];
}

function sparseWarning({ tiles }: TiffPage): string[] {
  if (!tiles || tiles.missing === 0) return [];
  return [`${tiles.missing} of ${tiles.count} tiles are not in the file; they are black`];
}

function profileWarning({ isProfileCut }: TiffPage): string[] {
  return isProfileCut ? ['ICC profile dropped: it is not in the file, which ends early'] : [];
}

/** Photoshop's selections and the bands of satellites are channels beside the colours; viewers show neither. */
function extraChannels(
  { photometric, channels, extraSamples }: TiffPage,
  name: string,
): Pick<ChosenPage, 'extraChannels' | 'alpha' | 'warnings'> {
  const count = channels - (COLOR_CHANNELS.get(photometric) ?? 1);
  const alpha = extraSamples?.slice(0, count).findIndex((meaning) => meaning !== UNSPECIFIED) ?? -1;
  if (count <= 0 || (count === 1 && alpha === 0)) return { extraChannels: 0, alpha: undefined, warnings: [] };
  if (channels > MAX_CHANNELS) throw new UnsupportedImageError(name, `a TIFF of ${channels} channels`);
  const left = alpha < 0 ? count : count - 1;
  const which = left === 1 ? 'a channel that is' : `${left} channels that are`;
  return {
    extraChannels: count,
    alpha: alpha < 0 ? undefined : alpha,
    warnings: [
      `${which} neither colour nor alpha (ExtraSamples) is left out`.replace(/(channels .*) is left/, '$1 are left'),
    ],
  };
}
