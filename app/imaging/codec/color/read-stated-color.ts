import { chunkType } from '../metadata/metadata.ts';
import type { ImageFormat } from '../sniff-format.ts';
import type { Box } from '../media-boxes.ts';
import { partsOf, primaryItem, propertiesOf } from '../media-boxes.ts';
import type { Chromaticities } from './chromaticities.ts';
import { isNearSrgb } from './chromaticities.ts';
import type { StatedColor } from './stated-color.ts';
import { UNTOLD } from './transfer-curves.ts';

/** What a file says of its colours, and what should be known of how that was read. */
interface ReadColor {
  readonly color: StatedColor | undefined;
  readonly warnings: readonly string[];
}

const CHUNK_HEAD = 8;
const CHUNK_CRC = 4;
/** gAMA and cHRM are in units of this. */
const PNG_UNIT = 100_000;
/** Gammas beyond these are mistakes. */
const [MIN_GAMMA, MAX_GAMMA] = [0.1, 10];
const SEEN_TOLERANCE = 0.005;
/** Of `nclx`: where the byte is that says the range, counted from its codes, and what it says. */
const [RANGE_AT, FULL_RANGE] = [6, 0x80];

/**
 * What a file says of its colours by numbers, where that goes before its profile or there is none: in AVIF and HEIC a profile goes before
 * the codes, in PNG it is the other way round.
 * @param chunks those of a PNG that say its colours, whole
 */
export function readStatedColor(
  { format, bytes }: { readonly format: ImageFormat; readonly bytes: Uint8Array },
  chunks: readonly Uint8Array[],
  hasProfile: boolean,
): ReadColor {
  if (format !== 'avif' && format !== 'heic') return readPngColor(chunks, hasProfile);
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { color: hasProfile ? undefined : readAvifColor(file), warnings: [] };
}

/**
 * What the colour chunks of a PNG say, in the order of https://www.w3.org/TR/png-3/#color-chunk-precendence: cICP before a
 * profile, a profile before sRGB, that before gAMA with cHRM.
 * @param chunks whole chunks
 */
function readPngColor(chunks: readonly Uint8Array[], hasProfile: boolean): ReadColor {
  const found = new Map(chunks.map((chunk) => [chunkType(chunk), dataOf(chunk)]));
  const codes = found.get('cICP');
  const isRgbCodes = codes?.length === 4 && codes[2] === 0 && codes[3] === 1;
  if (codes && isRgbCodes) {
    return { color: { kind: 'codes', primaries: codes[0] ?? 0, transfer: codes[1] ?? 0 }, warnings: [] };
  }
  const warnings = codes ? ['cICP is not followed: it is not for RGB of full range, as PNG holds it'] : [];
  if (hasProfile || found.has('sRGB')) return { color: undefined, warnings };
  const chromaticities = chromaticitiesIn(found.get('cHRM'));
  const gamma = gammaIn(found.get('gAMA'));
  if (gamma !== undefined) return { color: { kind: 'gamma', gamma, chromaticities }, warnings };
  if (chromaticities && !isNearSrgb(chromaticities, SEEN_TOLERANCE)) {
    warnings.push('cHRM without gAMA is not followed, as browsers do: the colours are taken for sRGB');
  }
  return { color: undefined, warnings };
}

/** The codes of the picture of an AVIF or HEIC file. */
function readAvifColor(file: Buffer): StatedColor | undefined {
  const at = codesAt(file);
  if (at === undefined) return undefined;
  const [primaries, transfer] = [file.readUInt16BE(at), file.readUInt16BE(at + 2)];
  return primaries === UNTOLD && transfer === UNTOLD ? undefined : { kind: 'codes', primaries, transfer };
}

/** Whether the samples of an AVIF or HEIC file are told to be in the range of video, not to use all that they could be. */
export function isVideoRange(file: Buffer): boolean {
  const at = codesAt(file);
  return at !== undefined && ((file[at + RANGE_AT] ?? 0) & FULL_RANGE) === 0;
}

/** Where the codes of the picture of an AVIF or HEIC file stand (`nclx`), or of the first of its tiles. */
function codesAt(file: Buffer): number | undefined {
  const codes = pictureProperties(file, 'colr').find(
    ({ start, end }) => end - start >= 11 && file.toString('latin1', start, start + 4) === 'nclx',
  );
  return codes && codes.start + 4;
}

/** Whether the picture of an AVIF or HEIC file has one channel: the decoder makes three of it. */
export function isMonochrome(file: Buffer): boolean {
  const monochrome = 0x10; // https://aomediacodec.github.io/av1-isobmff/#av1codecconfigurationbox
  const isGrayAv1 = pictureProperties(file, 'av1C').some(
    ({ start, end }) => end - start >= 4 && ((file[start + 2] ?? 0) & monochrome) !== 0,
  );
  const [chromaAt, chromaBits] = [16, 3]; // ISO/IEC 14496-15, 8.3.3.1: chromaFormat is 0
  return (
    isGrayAv1 ||
    pictureProperties(file, 'hvcC').some(
      ({ start, end }) => end - start > chromaAt && ((file[start + chromaAt] ?? 0) & chromaBits) === 0,
    )
  );
}

function pictureProperties(file: Buffer, type: string): Box[] {
  const id = primaryItem(file);
  if (id === undefined) return [];
  const own = propertiesOf(file, id).filter((property) => property.type === type);
  const [part] = own.length > 0 ? [] : partsOf(file, id);
  return part === undefined ? own : propertiesOf(file, part).filter((property) => property.type === type);
}

function dataOf(chunk: Uint8Array): Buffer {
  return Buffer.from(chunk.buffer, chunk.byteOffset + CHUNK_HEAD, chunk.length - CHUNK_HEAD - CHUNK_CRC);
}

function gammaIn(data: Buffer | undefined): number | undefined {
  if (data?.length !== 4) return undefined;
  const gamma = data.readUInt32BE(0) / PNG_UNIT;
  return gamma >= MIN_GAMMA && gamma <= MAX_GAMMA ? gamma : undefined;
}

function chromaticitiesIn(data: Buffer | undefined): Chromaticities | undefined {
  if (data?.length !== 32) return undefined;
  const point = (at: number): readonly [number, number] => [
    data.readUInt32BE(at) / PNG_UNIT,
    data.readUInt32BE(at + 4) / PNG_UNIT,
  ];
  return { white: point(0), red: point(8), green: point(16), blue: point(24) };
}
