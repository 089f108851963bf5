/**
 * How a sample of 0..1 becomes light of 0..1, where 1 is the white of an ordinary screen: by an exponent `[g]`; by
 * `[g, a, b, c, d]`, which is (a·x + b)^g from d on and c·x below (as in ICC's parametric curves of type 0 and 3); or by a function.
 */
export type TransferCurve = readonly [number] | ParametricCurve | ((sample: number) => number);

type ParametricCurve = readonly [g: number, a: number, b: number, c: number, d: number];

/** What the white of paper and of letters has in HDR, in cd/m² (ITU-R BT.2408): the 1 of an ordinary screen. */
export const HDR_WHITE = 203;
/** The white of the screen that HLG's system gamma of 1.2 is for, in cd/m² (ITU-R BT.2100). */
const HLG_SCREEN_WHITE = 1000;

/** The transfer characteristics of ITU-T H.273 that are HDR, by their names. */
export const HDR_TRANSFERS: ReadonlyMap<number, string> = new Map([
  [16, 'PQ'],
  [18, 'HLG'],
]);

/** The code of sRGB's curve. */
export const SRGB_TRANSFER = 13;
/** The code of what is not told, which readers take for sRGB. */
export const UNTOLD = 2;
/** The codes that stand for BT.709's curve. */
export const VIDEO_TRANSFERS: ReadonlySet<number> = new Set([1, 6, 14, 15]);

/** IEC 61966-2-1. */
export const SRGB_CURVE: ParametricCurve = [2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045];
const VIDEO_CURVE: ParametricCurve = [1 / 0.45, 1 / 1.099, 0.099 / 1.099, 1 / 4.5, 0.081];
const SMPTE_240_CURVE: ParametricCurve = [1 / 0.45, 1 / 1.1115, 0.1115 / 1.1115, 1 / 4, 0.0913];

const CURVES: ReadonlyMap<number, TransferCurve> = new Map<number, TransferCurve>([
  [UNTOLD, SRGB_CURVE],
  [4, [2.2]],
  [5, [2.8]],
  [7, SMPTE_240_CURVE],
  [8, [1]],
  [11, VIDEO_CURVE],
  [12, VIDEO_CURVE],
  [SRGB_TRANSFER, SRGB_CURVE],
  [16, pq],
  [17, [2.6]],
  [18, hlg],
]);

/** By transfer characteristics (ITU-T H.273, table 3). Logarithms (9, 10) and what is reserved have none. */
export function curveOf(transfer: number): TransferCurve | undefined {
  return VIDEO_TRANSFERS.has(transfer) ? VIDEO_CURVE : CURVES.get(transfer);
}

/** SMPTE ST 2084, cut where an ordinary screen ends. */
function pq(sample: number): number {
  const [m1, m2] = [2610 / 16384, (2523 / 4096) * 128];
  const [c1, c2, c3] = [3424 / 4096, (2413 / 4096) * 32, (2392 / 4096) * 32];
  const root = sample ** (1 / m2);
  const light = (Math.max(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1);
  return Math.min((light * 10_000) / HDR_WHITE, 1);
}

/** ARIB STD-B67 with the system gamma of BT.2100, channel by channel, cut where an ordinary screen ends. */
function hlg(sample: number): number {
  const [a, b, c] = [0.17883277, 0.28466892, 0.55991073];
  const scene = sample <= 0.5 ? sample ** 2 / 3 : (Math.exp((sample - c) / a) + b) / 12;
  return Math.min((scene ** 1.2 * HLG_SCREEN_WHITE) / HDR_WHITE, 1);
}
