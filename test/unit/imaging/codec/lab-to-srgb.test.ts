import { describe, expect, it } from '@jest/globals';
import type { BitDepth } from '../../../../app/imaging/image.ts';
import type { LabEncoding } from '../../../../app/imaging/codec/pixels/lab-to-srgb.ts';
import { labToSrgb } from '../../../../app/imaging/codec/pixels/lab-to-srgb.ts';

/** Lab values (D50) of sRGB colours, as published by Bruce Lindbloom's calculator. */
const COLORS: readonly (readonly [name: string, lab: readonly number[], rgb: readonly number[]])[] = [
  ['white', [100, 0, 0], [255, 255, 255]],
  ['black', [0, 0, 0], [0, 0, 0]],
  ['middle gray', [53.585, 0, 0], [128, 128, 128]],
  ['red', [54.29, 80.81, 69.89], [255, 0, 0]],
  ['green', [87.82, -79.29, 80.99], [0, 255, 0]],
  ['blue', [29.57, 68.3, -112.03], [0, 0, 255]],
];

function encoded([l = 0, a = 0, b = 0]: readonly number[], encoding: LabEncoding, depth: BitDepth): number[] {
  const unit = depth === 16 ? 256 : 1;
  const modulus = depth === 16 ? 65536 : 256;
  const full = depth === 8 ? 255 : encoding === 'icclab' ? 65280 : 65535;
  const chroma = (value: number) => {
    const scaled = Math.round(value * unit);
    return encoding === 'icclab' ? scaled + modulus / 2 : (scaled + modulus) % modulus;
  };
  return [Math.round((l / 100) * full), chroma(a), chroma(b)];
}

describe('L*a*b* to sRGB', () => {
  const kinds = (['cielab', 'icclab'] as const).flatMap((encoding) =>
    ([8, 16] as const).map((depth) => [encoding, depth] as const),
  );

  it.each(kinds)('gives published colours from %s of %d bits, within a level', (encoding, depth) => {
    // A step of 8-bit a and b is ten levels of a channel that is dark in a saturated colour: neutrals only.
    for (const [, lab, rgb] of depth === 16 ? COLORS : COLORS.slice(0, 3)) {
      const samples = [...encoded(lab, encoding, depth), depth === 16 ? 1234 : 12];
      const data = depth === 16 ? Uint16Array.from(samples) : Uint8Array.from(samples);
      const result = labToSrgb({ width: 1, height: 1, channels: 4, depth, data }, encoding);
      const scale = depth === 16 ? 257 : 1;
      rgb.forEach((level, i) => expect(Math.abs((result.data[i] ?? 0) - level * scale)).toBeLessThanOrEqual(scale));
      expect(result.data[3]).toBe(samples[3]);
    }
  });
});
