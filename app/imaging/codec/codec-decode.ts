import type { Metadata } from 'sharp';
import { assertAllowedSize, BadImageError, UnsupportedImageError } from '../errors.ts';
import type { BitDepth, Image, ImageShape } from '../image.ts';
import { assertDecodesHeic, decodeHeic } from './pixels/heic-pixels.ts';
import { clearBeside, withChannels, withoutColor, withoutUnusedAlpha } from './pixels/channels.ts';
import type { DecodeInput } from './decode-input.ts';
import { dividedColors } from './pixels/divided-colors.ts';
import { labToSrgb } from './pixels/lab-to-srgb.ts';
import { METADATA_LIMITS } from './metadata/metadata.ts';
import { YCBCR } from './tiff/readable-samples.ts';
import type { ImageFormat } from './sniff-format.ts';
import { xmpOrientation } from './exif/xmp-edits.ts';
import { fail, openPicture, readPixels } from './pixels/read-pixels.ts';
import { isOnItsSide } from './pixels/turn.ts';
import { fromVideoRange } from './pixels/video-range.ts';
import { vipsWork } from './vips-work.ts';

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

/**
 * Decodes the first frame: turned upright, samples as stored (no profile applied), but CMYK and Lab as sRGB.
 *
 * @throws BadImageError, UnsupportedImageError, ImageTooLargeError
 */
export async function decodePixels(input: DecodeInput): Promise<DecodedPixels> {
  const header = await readHeader(input);
  if (input.format === 'heic') {
    const stored = asMeant(await decodeHeic(input.bytes, input.name, input.maxPixels), input);
    const image = asSeen(stored, input, 8);
    return { image, header, convertedFrom: undefined, turnedByXmp: undefined, damage: undefined };
  }
  const isConverted = CONVERTED.has(header.space);
  const depth = depthOf(header, input.format);
  const graySpace = header.channels === 1 ? 'gray' : 'gray+alpha';
  const space = GRAY.has(header.space) ? graySpace : 'color';
  const turnedByXmp = orientationInXmp(input, header);
  const orientation = turnedByXmp ?? header.orientation ?? 1;
  const read = await readPixels(input, { space, depth, ignoreIcc: !isConverted, turnedByXmp, orientation });
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
  const header = await vipsWork(() => openPicture(input, true).metadata()).catch((error: unknown) =>
    fail(input, error),
  );
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

/** AVIF of 10 and 12 bits comes shifted up; repeating the high bits below makes full scale 65535. */
function fillLowBits({ data, depth }: Image, bits: number): void {
  if (depth !== 16 || bits <= 8 || bits >= 16) return;
  for (let i = 0; i < data.length; i++) {
    const sample = data[i] ?? 0;
    data[i] = sample | (sample >> bits);
  }
}
