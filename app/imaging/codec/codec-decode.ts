import type { Metadata, Sharp } from 'sharp';
import { sharp } from './codec-sharp.ts';
import { assertAllowedSize, BadImageError, notWhole, UnsupportedImageError } from '../errors.ts';
import type { Rectangle } from '../rectangle.ts';
import type { BitDepth, Image, ImageShape } from '../image.ts';
import { assertDecodesHeic, decodeHeic } from './pixels/heic-pixels.ts';
import { clearBeside, withChannels, withoutColor, withoutUnusedAlpha } from './pixels/channels.ts';
import { dividedColors } from './pixels/divided-colors.ts';
import type { LabEncoding } from './pixels/lab-to-srgb.ts';
import { labToSrgb } from './pixels/lab-to-srgb.ts';
import { METADATA_LIMITS } from './metadata/metadata.ts';
import type { ChosenPage } from './tiff/choose-page.ts';
import { YCBCR } from './tiff/readable-samples.ts';
import { JPEG } from './tiff/tiff-pages.ts';
import type { ImageFormat } from './sniff-format.ts';
import { xmpOrientation } from './exif/xmp-edits.ts';
import { isOnItsSide, turned } from './pixels/turn.ts';
import { fromVideoRange } from './pixels/video-range.ts';
import { vipsWork } from './vips-work.ts';

/** What sharp is given: bytes that the walkers have been through. */
export interface DecodeInput {
  readonly bytes: Uint8Array;
  readonly format: ImageFormat;
  readonly name: string;
  readonly maxPixels: number;
  /** Of an animation, from 0; by default the first. */
  readonly frameIndex?: number;
  /** Whether the file lacks its end marker, which is not to be told as damage. */
  readonly endsEarly?: boolean;
  /** The samples are L*a*b*, though the file says RGB. */
  readonly lab?: LabEncoding | undefined;
  /** One channel is stored, of which the decoder makes three. */
  readonly isMonochrome?: boolean | undefined;
  /** The samples of that channel are in the range of video, and the decoder leaves them there. */
  readonly isVideoRange?: boolean | undefined;
  /** The colours are multiplied with alpha, and the decoder leaves them so. */
  readonly isMultiplied?: boolean | undefined;
  /** TIFF: which page, and what of its channels is neither colour nor alpha. */
  readonly page?: ChosenPage | undefined;
  /** XMP that the walkers found, and not the decoder. */
  readonly metadata?: { readonly xmp?: Uint8Array | undefined };
  /** GIF: what the first frame covers, where that is not all. */
  readonly frame?: Rectangle | undefined;
}

/** What came out, and what libvips found in the header. */
export interface DecodedPixels {
  readonly image: Image;
  readonly header: Metadata;
  /** What colours were converted from, if they were: an embedded profile no longer holds then. */
  readonly convertedFrom: string | undefined;
  /** How the picture was turned, where EXIF does not say it and XMP does: 2..8. */
  readonly turnedByXmp: number | undefined;
  /** JPEG, also in strips of a TIFF: in what words the decoder complained of the coded pixels, of which it then makes gray or other ones. */
  readonly damage: string | undefined;
}

/** The names that libvips has for the formats. */
const LOADER_FORMATS: Readonly<Record<ImageFormat, string>> = {
  jpeg: 'jpeg',
  png: 'png',
  webp: 'webp',
  avif: 'heif',
  heic: 'heif',
  tiff: 'tiff',
  gif: 'gif',
};
/** How pictures in that container are coded. */
const COMPRESSIONS: Readonly<Partial<Record<ImageFormat, string>>> = { avif: 'av1', heic: 'hevc' };
const GRAY: ReadonlySet<string> = new Set(['b-w', 'grey16']);
const COLOR: ReadonlySet<string> = new Set(['srgb', 'rgb', 'rgb16']);
const CONVERTED: ReadonlySet<string> = new Set(['cmyk', 'lab', 'labs']);

/** Compressions of TIFF that the decoder is built without: files may be whole, whatever it says. */
const NOT_BUILT_IN: ReadonlyMap<number, string> = new Map([
  [34_712, 'JPEG 2000'],
  [34_887, 'LERC'],
  [34_925, 'LZMA'],
  [50_000, 'ZSTD'],
  [50_002, 'JPEG XL'],
]);

/**
 * Decodes the first frame: turned upright, samples as stored (no profile applied), but CMYK and Lab as sRGB.
 *
 * @throws BadImageError, UnsupportedImageError, ImageTooLargeError
 */
export async function decodePixels(input: DecodeInput): Promise<DecodedPixels> {
  const header = await readHeader(input);
  if (input.format === 'heic') {
    const stored = asMeant(await decodeHeic(input.bytes, input.name), input);
    const image = asSeen(stored, input, 8);
    return { image, header, convertedFrom: undefined, turnedByXmp: undefined, damage: undefined };
  }
  const isConverted = CONVERTED.has(header.space);
  const depth = depthOf(header, input.format);
  const graySpace = header.channels === 1 ? 'gray' : 'gray+alpha';
  const space = GRAY.has(header.space) ? graySpace : 'color';
  const turnedByXmp = orientationInXmp(input, header);
  const read = await readPixels(input, { space, depth, ignoreIcc: !isConverted, turnedByXmp });
  const { damage } = read;
  const stored = asMeant(read.image, input);
  const bits = header.bitsPerSample ?? depth;
  fillLowBits(stored, bits);
  const image = asSeen(stored, input, bits);
  if (input.lab) return { image: labToSrgb(image, input.lab), header, convertedFrom: 'L*a*b*', turnedByXmp, damage };
  const isYcc = input.page?.page.photometric === YCBCR;
  const hasAddedAlpha = input.format === 'gif' || (header.pages ?? 1) > 1 || isYcc;
  return {
    image: hasAddedAlpha ? withoutUnusedAlpha(image) : image,
    header,
    convertedFrom: isConverted ? header.space.toUpperCase() : undefined,
    turnedByXmp,
    damage,
  };
}

/** What XMP says, where EXIF says nothing. AVIF and HEIC say it in boxes of their own, which the decoder follows. */
function orientationInXmp({ format, metadata, page }: DecodeInput, header: Metadata): number | undefined {
  const xmp = metadata?.xmp ?? header.xmp;
  // libvips says of a TIFF that says nothing that it is upright.
  const isSaid = page ? page.page.orientation !== undefined : header.orientation !== undefined;
  if (format in COMPRESSIONS || isSaid || !xmp || xmp.length > METADATA_LIMITS.xmp) return undefined;
  const orientation = xmpOrientation(xmp);
  return orientation === 1 ? undefined : orientation;
}

/** What the decoder leaves undone of how samples are told in AVIF and HEIC. */
function asSeen(image: Image, { isVideoRange, isMultiplied }: DecodeInput, bits: number): Image {
  const stretched = isVideoRange === true ? fromVideoRange(image, bits) : image;
  return isMultiplied === true ? dividedColors(stretched) : stretched;
}

/** The channels that are the picture's, which the decoder does not tell from others. */
function asMeant(image: Image, { page, frame, isMonochrome }: DecodeInput): Image {
  if (isMonochrome === true) return withoutColor(image);
  if (frame) return clearBeside(image, frame);
  if (!page || page.extraChannels === 0) return image;
  // Of gray and more the decoder may have made RGB and more.
  const colors = image.channels - page.extraChannels;
  const kept = page.isGray ? [0] : [0, 1, 2];
  return withChannels(image, page.alpha === undefined ? kept : [...kept, colors + page.alpha]);
}

/**
 * The shape that `decodePixels` would make, without decoding: upright. Alpha that turns out to be of no use counts as alpha.
 * @throws what `decodePixels` throws before it comes to the pixels
 */
export async function shapeInHeader(input: DecodeInput): Promise<ImageShape> {
  const header = await readHeader(input);
  const { width, height } = upright(header, orientationInXmp(input, header));
  const colors = GRAY.has(header.space) || input.isMonochrome === true ? 1 : 3;
  const { extraChannels = 0, alpha } = input.page ?? {};
  const isClear = extraChannels > 0 ? alpha !== undefined : header.hasAlpha || input.frame !== undefined;
  const channels = isClear ? ((colors + 1) as 2 | 4) : colors;
  return { width, height, channels, depth: depthOf(header, input.format) };
}

function upright({ autoOrient }: Metadata, turnedByXmp: number | undefined): { width: number; height: number } {
  const { width, height } = autoOrient;
  return isOnItsSide(turnedByXmp ?? 1) ? { width: height, height: width } : { width, height };
}

async function readHeader(input: DecodeInput): Promise<Metadata> {
  if (input.format === 'heic') assertDecodesHeic(input.name);
  const header = await vipsWork(() => open(input, true).metadata()).catch((error: unknown) => fail(input, error));
  if (header.format !== LOADER_FORMATS[input.format] || header.compression !== COMPRESSIONS[input.format]) {
    throw new BadImageError(input.name, `the first bytes say ${input.format}, the decoder says ${header.format}`);
  }
  assertAllowedSize(input.name, header, input.maxPixels);
  assertDecodable(header, input.name);
  const primary = input.format === 'heic' ? (header.pagePrimary ?? 0) : 0;
  return primary > 0 && input.frameIndex === undefined ? readHeader({ ...input, frameIndex: primary }) : header;
}

function assertDecodable(header: Metadata, name: string): void {
  if (CONVERTED.has(header.space)) return;
  if (header.depth !== 'uchar' && header.depth !== 'ushort') {
    throw new UnsupportedImageError(name, `samples of type ${header.depth} instead of 8 or 16 bits`);
  }
  if (!GRAY.has(header.space) && !COLOR.has(header.space)) {
    throw new UnsupportedImageError(
      name,
      `an image in the colour space ${header.space} with ${header.channels} channels`,
    );
  }
}

function depthOf({ space, depth }: Metadata, format: ImageFormat): BitDepth {
  return depth === 'ushort' && !CONVERTED.has(space) && format !== 'heic' ? 16 : 8;
}

interface PixelKind {
  readonly space: 'gray' | 'gray+alpha' | 'color';
  readonly depth: BitDepth;
  readonly ignoreIcc: boolean;
  readonly turnedByXmp: number | undefined;
}

async function readPixels(
  input: DecodeInput,
  as: PixelKind,
): Promise<{ readonly image: Image; readonly damage: string | undefined }> {
  const read = (limit: FailOn): ReturnType<typeof withInfo> =>
    vipsWork(() => {
      const stored = open(input, as.ignoreIcc, limit);
      return rawOf(as.turnedByXmp === undefined ? stored.autoOrient() : turned(stored, as.turnedByXmp), as);
    });
  const isComplaintTold = canComplain(input);
  let damage: string | undefined;
  const { data, info } = await read(isComplaintTold ? 'warning' : failOn(input.page))
    .catch((error: unknown) => {
      if (!isComplaintTold) throw error;
      damage = complaintOf(error);
      // Of a JPEG without an end it is that pixels are missing.
      if (damage !== undefined && hasOpenJpegs(input)) throw error;
      return read(failOn(input.page));
    })
    .catch((error: unknown) => fail(input, error));
  const { width, height, channels } = info;
  const samples = as.depth === 16 ? new Uint16Array(data.buffer, data.byteOffset, data.length / 2) : data;
  if (as.space === 'gray+alpha' && as.depth === 8 && channels === 4)
    return { image: { width, height, channels: 2, depth: 8, data: grayAndAlpha(data) }, damage };
  return { image: { width, height, channels, depth: as.depth, data: samples }, damage };
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

/** AVIF of 10 and 12 bits comes shifted up; repeating the high bits below makes full scale 65535. */
function fillLowBits({ data, depth }: Image, bits: number): void {
  if (depth !== 16 || bits <= 8 || bits >= 16) return;
  for (let i = 0; i < data.length; i++) {
    const sample = data[i] ?? 0;
    data[i] = sample | (sample >> bits);
  }
}

function open(
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

function fail({ name, format, page }: DecodeInput, cause: unknown): never {
  const packing = NOT_BUILT_IN.get(page?.page.compression ?? 0);
  if (packing !== undefined) throw new UnsupportedImageError(name, `a TIFF image compressed by ${packing}`);
  const lines = (cause instanceof Error ? cause.message : String(cause)).split('\n');
  const detail = lines.find((line) => !line.startsWith('Warning treated as error')) ?? '';
  throw notWhole({ name, format }, detail, { cause });
}
