import type { Chromaticities } from './chromaticities.ts';
import { chromaticitiesOf, isNearSrgb, SRGB_CHROMATICITIES } from './chromaticities.ts';
import type { TransferCurve } from './transfer-curves.ts';
import { curveOf, HDR_TRANSFERS, SRGB_TRANSFER, UNTOLD, VIDEO_TRANSFERS } from './transfer-curves.ts';

/** What a file says of its colours by numbers, not by a profile. Plain data: it passes between processes. */
export type StatedColor = ColorCodes | ColorGamma;

/** The codes of ITU-T H.273: AVIF's `nclx`, PNG's cICP. */
export interface ColorCodes {
  readonly kind: 'codes';
  readonly primaries: number;
  readonly transfer: number;
}

/** PNG's gAMA, with its cHRM where there is one. */
export interface ColorGamma {
  readonly kind: 'gamma';
  /** Of the encoder, as in the chunk: about 0.45 for what is like sRGB. */
  readonly gamma: number;
  readonly chromaticities?: Chromaticities | undefined;
}

/** An RGB space, as a profile describes it. */
export interface ColorSpace {
  readonly label: string;
  readonly chromaticities: Chromaticities;
  readonly curve: TransferCurve;
  readonly codes?: ColorCodes | undefined;
}

/** 1/2.2, which programs write for sRGB. */
const SRGB_GAMMA = 0.45455;
/** A difference that nobody sees: 2 of 255 levels. */
const GAMMA_TOLERANCE = 0.02;
const CHROMATICITY_TOLERANCE = 0.005;
const LABELS: ReadonlyMap<string, string> = new Map([
  ['12/13', 'Display P3'],
  ['9/14', 'BT.2020'],
  ['9/16', 'BT.2020 PQ'],
  ['9/18', 'BT.2020 HLG'],
]);

/**
 * Whether the words mean sRGB, or what viewers show as sRGB: codes of BT.709's colours with the curve of video are, and so is
 * a gamma of 1/2.2 with sRGB's primaries.
 */
export function isSrgb(stated: StatedColor): boolean {
  if (stated.kind === 'codes') {
    const { primaries, transfer } = stated;
    const isCurve = transfer === SRGB_TRANSFER || transfer === UNTOLD || VIDEO_TRANSFERS.has(transfer);
    return (primaries === 1 || primaries === UNTOLD) && isCurve;
  }
  const { gamma, chromaticities = SRGB_CHROMATICITIES } = stated;
  const isCurve = Math.abs(gamma / SRGB_GAMMA - 1) <= GAMMA_TOLERANCE;
  return isCurve && isNearSrgb(chromaticities, CHROMATICITY_TOLERANCE);
}

/** What the words mean; undefined for codes that mean nothing, or nothing that an RGB profile can say. */
export function colorSpaceOf(stated: StatedColor): ColorSpace | undefined {
  if (stated.kind === 'gamma') {
    const { gamma, chromaticities = SRGB_CHROMATICITIES } = stated;
    return { label: `PNG gamma ${gamma.toFixed(3)}`, chromaticities, curve: [1 / gamma] };
  }
  const { primaries, transfer } = stated;
  const [chromaticities, curve] = [chromaticitiesOf(primaries), curveOf(transfer)];
  if (!chromaticities || !curve) return undefined;
  const label = LABELS.get(`${primaries}/${transfer}`) ?? `ITU-T H.273 ${primaries}/${transfer}`;
  return { label, chromaticities, curve, codes: stated };
}

/** `PQ` or `HLG` where the samples are HDR. */
export function hdrName(stated: StatedColor | undefined): string | undefined {
  return stated?.kind === 'codes' ? HDR_TRANSFERS.get(stated.transfer) : undefined;
}
