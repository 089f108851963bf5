import type { OutputFormat } from '../../../options/output-formats.ts';
import { formatLabels, traitsOf } from '../../../options/output-formats.ts';
import type { ImageShape } from '../../image.ts';
import type { ImageMetadata } from '../metadata/metadata.ts';
import { chunkType, COLOR_CHUNKS, iccColorSpace } from '../metadata/metadata.ts';
import { makePngChunk } from '../png-chunks.ts';
import { makeProfile } from './make-profile.ts';
import type { ColorCodes, StatedColor } from './stated-color.ts';
import { colorSpaceOf, hdrName, isSrgb } from './stated-color.ts';
import { HDR_WHITE, SRGB_TRANSFER } from './transfer-curves.ts';

/** How a result says what its colours are. */
export interface OutputColors {
  readonly icc: Uint8Array | undefined;
  /** The output cannot hold the profile: colours have to be converted to sRGB by it. */
  readonly isConvertedToSrgb: boolean;
  /** For AVIF, which has no chunks: what `nclx` says. */
  readonly codes: ColorCodes | undefined;
  /** For PNG: whole chunks. */
  readonly chunks: readonly Uint8Array[];
  readonly warnings: readonly string[];
}

const NOTHING_SAID: OutputColors = {
  icc: undefined,
  isConvertedToSrgb: false,
  codes: undefined,
  chunks: [],
  warnings: [],
};
/** What is said of the brightness of the whole picture. */
const LIGHT_CHUNKS: ReadonlySet<string> = new Set(['mDCV', 'cLLI']);

/**
 * Says the colours of a source in the words that a format has: a profile stays one; codes stay codes in PNG and AVIF, chunks stay in
 * PNG; elsewhere a profile is made of them. Samples never change, but where a gray profile meets a format without gray.
 */
export function outputColors(
  { channels }: Pick<ImageShape, 'channels'>,
  format: OutputFormat,
  source: Partial<ImageMetadata>,
): OutputColors {
  const isGray = channels < 3;
  const byProfile = profileColors(isGray, format, source.icc);
  const chunks = (source.pngChunks ?? []).filter((chunk) => COLOR_CHUNKS.has(chunkType(chunk)));
  if (format === 'png') return { ...byProfile, chunks: pngChunks(chunks, source.color, byProfile.icc !== undefined) };
  if (source.color === undefined) return byProfile;
  const stated = statedColors(isGray, format, source.color);
  const isLightSaid = chunks.some((chunk) => LIGHT_CHUNKS.has(chunkType(chunk)));
  return isLightSaid
    ? { ...stated, warnings: [...stated.warnings, 'mDCV and cLLI are left out: only PNG holds them'] }
    : stated;
}

/** The profile by which a WebP of the pixels shows the colours of a source; undefined where they are sRGB, or said by a gray profile. */
export function shownProfile(
  shape: Pick<ImageShape, 'channels'>,
  source: Partial<ImageMetadata>,
): Uint8Array | undefined {
  const { icc, isConvertedToSrgb } = outputColors(shape, 'webp', source);
  return isConvertedToSrgb ? undefined : icc;
}

function profileColors(isGray: boolean, format: OutputFormat, icc: Uint8Array | undefined): OutputColors {
  if (!icc) return NOTHING_SAID;
  if (iccColorSpace(icc) !== (isGray ? 'GRAY' : 'RGB ')) {
    return {
      ...NOTHING_SAID,
      warnings: ['the ICC profile is left out: it is not for the colours of the result'],
    };
  }
  return { ...NOTHING_SAID, icc, isConvertedToSrgb: isGray && !traitsOf(format).holdsGray };
}

/** A profile contradicts all chunks but the codes, which go before it, and what is said of brightness. */
function pngChunks(
  chunks: readonly Uint8Array[],
  color: StatedColor | undefined,
  hasProfile: boolean,
): readonly Uint8Array[] {
  if (color?.kind === 'codes' && chunks.length === 0) {
    // Nothing is what most files of sRGB say.
    if (isSrgb(color) && color.transfer === SRGB_TRANSFER) return [];
    return [makePngChunk('cICP', Uint8Array.of(color.primaries, color.transfer, 0, 1))]; // RGB, full range
  }
  return hasProfile ? chunks.filter((chunk) => !/gAMA|cHRM|sRGB/.test(chunkType(chunk))) : chunks;
}

function statedColors(isGray: boolean, format: OutputFormat, color: StatedColor): OutputColors {
  const { label, holdsGray, holdsColorCodes } = traitsOf(format);
  if (color.kind === 'codes' && holdsColorCodes) return { ...NOTHING_SAID, codes: color };
  if (isSrgb(color)) return NOTHING_SAID;
  const space = colorSpaceOf(color);
  // Gray as RGB needs no conversion: samples that are equal are gray in every RGB space.
  const icc = space && makeProfile(space, isGray && holdsGray ? 'GRAY' : 'RGB ');
  if (!icc) return { ...NOTHING_SAID, warnings: [`${meaningless(color)}: the colours are taken for sRGB`] };
  const hdr = hdrName(color);
  return { ...NOTHING_SAID, icc, warnings: hdr === undefined ? [] : [hdrWarning(hdr, label)] };
}

function meaningless(color: StatedColor): string {
  return color.kind === 'codes'
    ? `no profile can say the colours of the codes ${color.primaries}/${color.transfer} (ITU-T H.273)`
    : 'cHRM spans no colours';
}

function hdrWarning(hdr: string, label: string): string {
  const better = formatLabels('or', ({ holdsColorCodes }) => holdsColorCodes);
  return `the picture is HDR (${hdr}), which ${label} says by an ICC profile: viewers without HDR show as white what is brighter than ${HDR_WHITE} cd/m²; ${better} says it as such`;
}
