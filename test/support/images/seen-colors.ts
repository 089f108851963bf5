import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { readPngChunks } from './png.ts';

/*
 * How a viewer that follows what a file says of its colours shows it: a second reading of the same words, with published matrices and
 * formulas, so that tests do not lean on what they test. Profiles are LittleCMS's.
 */

/** Samples of one colour in sRGB, 0..255, not rounded. */
export type SeenColor = readonly [number, number, number];

type Matrix = readonly [SeenColor, SeenColor, SeenColor];
interface Space {
  readonly toSrgb: Matrix;
  readonly light: (sample: number) => number;
}

/** Linear RGB of the primaries of ITU-T H.273 to that of sRGB, all of the white D65. */
const TO_SRGB: Readonly<Record<number, Matrix>> = {
  1: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  9: [
    [1.660491, -0.587641, -0.07285],
    [-0.12455, 1.1329, -0.008349],
    [-0.018151, -0.100579, 1.11873],
  ],
  12: [
    [1.22494, -0.22494, 0],
    [-0.042057, 1.042057, 0],
    [-0.019638, -0.078636, 1.098274],
  ],
};
const ADOBE_TO_SRGB: Matrix = [
  [1.398356, -0.398356, 0],
  [0, 1, 0],
  [0, -0.042934, 1.042934],
];
const ADOBE_GREEN = [21_000, 71_000];
const LIGHT: Readonly<Record<number, (sample: number) => number>> = {
  13: (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4),
  14: (v) => (v < 0.081 ? v / 4.5 : ((v + 0.099) / 1.099) ** (1 / 0.45)),
  16: pqLight,
  18: hlgLight,
};
/** What HDR shows as white, in cd/m². */
const WHITE = 203;

/**
 * The mean colours of a picture of four patches, two by two, each seen by what the file says of itself. Quarters of a patch at its
 * edges are left out: lossy formats mix them.
 */
export async function seenPatches(path: string): Promise<SeenColor[]> {
  const file = readFileSync(path);
  const space = toldSpace(file);
  // Without words of its own, sharp's sRGB is LittleCMS's by the profile, if there is one.
  const opened = space ? sharp(file, { ignoreIcc: true }) : sharp(await of8Bits(file));
  const { data, info } = await opened
    .toColourspace(space ? 'rgb16' : 'srgb')
    .removeAlpha()
    .raw({ depth: space ? 'ushort' : 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const samples = space ? new Uint16Array(data.buffer, data.byteOffset, data.length / 2) : data;
  const { width, height, channels } = info;
  const mean = (left: number, top: number): SeenColor => {
    const sums = [0, 0, 0];
    for (let y = top + height / 8; y < top + (height * 3) / 8; y++) {
      for (let x = left + width / 8; x < left + (width * 3) / 8; x++) {
        for (let c = 0; c < 3; c++) {
          sums[c] = (sums[c] ?? 0) + (samples[(y * width + x) * channels + (channels === 1 ? 0 : c)] ?? 0);
        }
      }
    }
    const [r = 0, g = 0, b = 0] = sums.map((sum) => (sum * 16) / (width * height) / (space ? 65_535 : 255));
    return space ? shown([r, g, b], space) : [r * 255, g * 255, b * 255];
  };
  return [mean(0, 0), mean(width / 2, 0), mean(0, height / 2), mean(width / 2, height / 2)];
}

/** With its profile: by the profile of 16 bits sharp goes to Display P3. */
async function of8Bits(file: Buffer): Promise<Buffer> {
  const { depth } = await sharp(file).metadata();
  return depth === 'ushort'
    ? sharp(file, { ignoreIcc: true }).toColourspace('srgb').keepIccProfile().png().toBuffer()
    : file;
}

function shown(color: SeenColor, { toSrgb, light }: Space): SeenColor {
  const [r, g, b] = color.map(light) as unknown as SeenColor;
  return toSrgb.map(([x, y, z]) => {
    const linear = Math.min(Math.max(x * r + y * g + z * b, 0), 1);
    return 255 * (linear <= 0.0031308 ? linear * 12.92 : 1.055 * linear ** (1 / 2.4) - 0.055);
  }) as unknown as SeenColor;
}

/** The words that go before a profile, or stand in its place. */
function toldSpace(file: Buffer): Space | undefined {
  const isPng = file.toString('latin1', 1, 4) === 'PNG';
  return isPng ? pngSpace(file) : codesSpace(...nclx(file));
}

function pngSpace(file: Buffer): Space | undefined {
  const chunks = new Map(readPngChunks(file).map(({ type, data }) => [type, Buffer.from(data)]));
  const codes = chunks.get('cICP');
  const [gamma, points] = [chunks.get('gAMA'), chunks.get('cHRM')];
  if (codes) return codesSpace(codes[0], codes[1]);
  if (chunks.has('iCCP') || !gamma || !points) return undefined;
  const isAdobe = ADOBE_GREEN.every((value, i) => points.readUInt32BE(16 + i * 4) === value);
  if (!isAdobe) throw new Error('these primaries are not known to the test');
  return { toSrgb: ADOBE_TO_SRGB, light: (v) => v ** (100_000 / gamma.readUInt32BE(0)) };
}

function codesSpace(primaries = -1, transfer = -1): Space | undefined {
  const [toSrgb, light] = [TO_SRGB[primaries], LIGHT[transfer]];
  return toSrgb && light ? { toSrgb, light } : undefined;
}

function nclx(file: Buffer): [primaries?: number, transfer?: number] {
  const at = file.indexOf('colrnclx', 0, 'latin1');
  return at < 0 ? [] : [file.readUInt16BE(at + 8), file.readUInt16BE(at + 10)];
}

/** SMPTE ST 2084. */
function pqLight(v: number): number {
  const root = v ** (32 / 2523);
  const light = (Math.max(root - 3424 / 4096, 0) / (2413 / 128 - (2392 / 128) * root)) ** (16384 / 2610);
  return Math.min((10_000 / WHITE) * light, 1);
}

/** ITU-R BT.2100 for a screen of 1000 cd/m², channel by channel. */
function hlgLight(v: number): number {
  const scene = v <= 0.5 ? v ** 2 / 3 : (Math.exp((v - 0.55991073) / 0.17883277) + 0.28466892) / 12;
  return Math.min((scene ** 1.2 * 1000) / WHITE, 1);
}
