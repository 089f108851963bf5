import { createHash } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { blendSamplesAsPillow } from '../../../app/imaging/blend.ts';

/** sha256 of `Image.blend(a, b, v)` of Pillow 13.0.0, where a has 0..255 in each row and b in each column; its first digits. */
const PILLOW = [
  [0.1, 'd0b899b6b54caae3'],
  [0.3, 'ecfe4c0046db1ef2'],
  [1 / 3, 'abaa597886654956'],
  [0.5, '2d9560dfe43979a9'],
  [0.9, '17aed40db352368f'],
] as const;

it.each(PILLOW)('two pictures are blended by %d as Pillow does, for every pair of samples', (strength, digest) => {
  const across = Uint8Array.from({ length: 65_536 }, (_, at) => at & 255);
  const down = Uint8Array.from({ length: 65_536 }, (_, at) => at >> 8);
  const blended = new Uint8Array(65_536);
  blendSamplesAsPillow(across, down, strength, blended);
  expect(createHash('sha256').update(blended).digest('hex').slice(0, 16)).toBe(digest);
});
