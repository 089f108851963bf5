import type { Sharp } from 'sharp';
import { notWhole, UnsupportedImageError } from '../../errors.ts';
import type { BitDepth, Image } from '../../image.ts';
import { sharp } from '../codec-sharp.ts';
import type { DecodeInput } from '../decode-input.ts';
import type { ChosenPage } from '../tiff/choose-page.ts';
import { JPEG } from '../tiff/tiff-pages.ts';
import { vipsWork } from '../vips-work.ts';
import { withoutRowsBelow, withRowsBelow } from './rows-below.ts';
import { turned } from './turn.ts';

/** Compressions of TIFF that the decoder is built without: files may be whole, whatever it says. */
const NOT_BUILT_IN: ReadonlyMap<number, string> = new Map([
  [34_712, 'JPEG 2000'],
  [34_887, 'LERC'],
  [34_925, 'LZMA'],
  [50_000, 'ZSTD'],
  [50_002, 'JPEG XL'],
]);

/** What pixels are read as. */
interface PixelKind {
  readonly space: 'gray' | 'gray+alpha' | 'color';
  readonly depth: BitDepth;
  readonly ignoreIcc: boolean;
  /** How the picture is turned where the decoder does not know it: 2..8. */
  readonly turnedByXmp: number | undefined;
  /** How it is turned, whoever knows it: 1..8. */
  readonly orientation: number;
}

/**
 * The pixels of a picture, upright, and in what words the decoder complained of how they are coded.
 * @throws BadImageError, UnsupportedImageError
 */
export async function readPixels(
  input: DecodeInput,
  as: PixelKind,
): Promise<{ readonly image: Image; readonly damage: string | undefined }> {
  if (!canComplain(input)) return { image: await pixelsOf(input, as), damage: undefined };
  try {
    const higher = input.format === 'jpeg' ? withRowsBelow(input.bytes) : undefined;
    if (!higher) return { image: await read(input, as, 'warning'), damage: undefined };
    const { bytes, rows, pixels } = higher;
    const image = await read({ ...input, bytes, maxPixels: input.maxPixels + pixels }, as, 'warning');
    return { image: withoutRowsBelow(image, rows, as.orientation), damage: undefined };
  } catch (error) {
    const damage = complaintOf(error);
    // Of a JPEG without an end it is that pixels are missing.
    if (damage !== undefined && hasOpenJpegs(input)) return fail(input, error);
    return { image: await pixelsOf(input, as), damage };
  }
}

function pixelsOf(input: DecodeInput, as: PixelKind): Promise<Image> {
  return read(input, as, failOn(input.page)).catch((error: unknown) => fail(input, error));
}

async function read(input: DecodeInput, as: PixelKind, limit: FailOn): Promise<Image> {
  const { data, info } = await vipsWork(() => {
    const stored = openPicture(input, as.ignoreIcc, limit);
    return rawOf(as.turnedByXmp === undefined ? stored.autoOrient() : turned(stored, as.turnedByXmp), as);
  });
  const { width, height, channels } = info;
  const samples = as.depth === 16 ? new Uint16Array(data.buffer, data.byteOffset, data.length / 2) : data;
  if (as.space === 'gray+alpha' && as.depth === 8 && channels === 4)
    return { width, height, channels: 2, depth: 8, data: grayAndAlpha(data) };
  return { width, height, channels, depth: as.depth, data: samples };
}

/** Whether the decoder complains of coded pixels that it makes something else of; of one that lacks its end it would complain of that. */
function canComplain({ format, endsEarly, page }: DecodeInput): boolean {
  return format === 'jpeg' ? endsEarly !== true : page?.page.compression === JPEG && page.page.tiles === undefined;
}

function hasOpenJpegs({ page }: DecodeInput): boolean {
  return (page?.page.openJpegs.length ?? 0) > 0;
}

/** What libjpeg says of coded pixels that cannot be right; of what else it warns the picture does not suffer. */
function complaintOf(error: unknown): string | undefined {
  return /Corrupt JPEG data: (.+)/.exec(error instanceof Error ? error.message : '')?.[1];
}

function rawOf(image: Sharp, { space, depth }: PixelKind): ReturnType<typeof withInfo> {
  if (depth === 16)
    return withInfo(image.toColourspace(space === 'color' ? 'rgb16' : 'grey16').raw({ depth: 'ushort' }));
  // With alpha by way of RGB: sharp drops the alpha of 8-bit gray raw output, and gray to sRGB copies the sample.
  return withInfo(image.toColourspace(space === 'gray' ? 'b-w' : 'srgb').raw());
}

function withInfo(image: Sharp) {
  return image.toBuffer({ resolveWithObject: true });
}

function grayAndAlpha(rgba: Uint8Array): Uint8Array {
  const data = new Uint8Array(rgba.length / 2);
  for (let from = 0, to = 0; to < data.length; from += 4, to += 2) {
    data[to] = rgba[from] ?? 0;
    data[to + 1] = rgba[from + 3] ?? 0;
  }
  return data;
}

/** A picture that is to be read, or what its header says. @param limit of what the decoder says the least that is an error */
export function openPicture(
  { bytes, maxPixels, page, frameIndex }: DecodeInput,
  ignoreIcc: boolean,
  limit: FailOn = failOn(page),
): Sharp {
  const which = { pages: 1, page: frameIndex ?? page?.index ?? 0 };
  return sharp(bytes, { failOn: limit, limitInputPixels: maxPixels, ignoreIcc, ...which, sequentialRead: true });
}

type FailOn = 'truncated' | 'error' | 'warning';

function failOn(page: ChosenPage | undefined): FailOn {
  // Without its ExtraSamples a TIFF is not in order, which libtiff mends and tells.
  if (page?.isInOrder === false) return 'truncated';
  // Tiles that cannot be read come out black, with a warning and no error.
  return page?.page.tiles?.missing === 0 ? 'warning' : 'error';
}

/** @throws BadImageError, UnsupportedImageError in our words for what the decoder says */
export function fail({ name, format, page }: DecodeInput, cause: unknown): never {
  const packing = NOT_BUILT_IN.get(page?.page.compression ?? 0);
  if (packing !== undefined) throw new UnsupportedImageError(name, `a TIFF image compressed by ${packing}`);
  const lines = (cause instanceof Error ? cause.message : String(cause)).split('\n');
  const detail = lines.find((line) => !line.startsWith('Warning treated as error')) ?? '';
  throw notWhole({ name, format }, detail, { cause });
}
