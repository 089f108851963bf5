import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { comparedPair } from '../../../app/evaluation/compared-samples.ts';
import { NotComparableError } from '../../../app/evaluation/errors.ts';
import { evaluateFiles, meanScore } from '../../../app/evaluation/evaluate-files.ts';
import { psnr } from '../../../app/evaluation/psnr.ts';
import { ssim } from '../../../app/evaluation/ssim.ts';
import { noise } from '../../support/images/images.ts';

interface ScikitCase {
  readonly name: string;
  readonly crop_border: number;
  readonly is_y_channel: boolean;
  readonly psnr: number;
  readonly ssim: number;
}

const FIXTURES = new URL('../../fixtures/evaluation/', import.meta.url);
const { cases } = JSON.parse(readFileSync(new URL('cases.json', FIXTURES), 'utf8')) as { cases: ScikitCase[] };
const pathOf = (name: string): string => fileURLToPath(new URL(name, FIXTURES));
const COLORS = { cropBorder: 0, isLumaOnly: false };

describe('evaluateFiles', () => {
  it.each(cases)(
    'equals scikit-image on $name with a border of $crop_border, Y channel $is_y_channel',
    async ({ name, crop_border, is_y_channel, ...expected }) => {
      const score = await evaluateFiles(
        { name, reference: pathOf(`${name}-reference.png`), candidate: pathOf(`${name}-candidate.png`) },
        { cropBorder: crop_border, isLumaOnly: is_y_channel, maxPixels: 2 ** 20 },
      );
      expect(Math.abs(score.psnr - expected.psnr)).toBeLessThan(1e-9);
      expect(Math.abs(score.ssim - expected.ssim)).toBeLessThan(1e-9);
    },
  );

  it('names the pair whose sizes differ, and both sizes', async () => {
    const pair = { name: 'one', reference: pathOf('rgb-reference.png'), candidate: pathOf('gray-candidate.png') };
    await expect(evaluateFiles(pair, { ...COLORS, maxPixels: 2 ** 20 })).rejects.toThrow(
      'one: expected images of one size, got 47x33 and 40x52',
    );
  });
});

describe('psnr and ssim', () => {
  const image = noise({ width: 9, height: 8, channels: 3, depth: 8 });

  it('are infinite and 1 for equal images', () => {
    const pair = comparedPair(image, image, COLORS);
    expect([psnr(pair), ssim(pair)]).toEqual([Infinity, 1]);
  });

  it('compare gray with colours by repeating it', () => {
    const gray = noise({ width: 9, height: 8, channels: 1, depth: 8 }, 2);
    const repeated = { ...image, data: Uint8Array.from(image.data, (_, i) => gray.data[Math.floor(i / 3)] ?? 0) };
    const [pair, same] = [comparedPair(image, gray, COLORS), comparedPair(image, repeated, COLORS)];
    expect([psnr(pair), ssim(pair)]).toEqual([psnr(same), ssim(same)]);
  });

  it('refuse a border that leaves nothing, and for SSIM less than a window', () => {
    expect(() => comparedPair(image, image, { ...COLORS, cropBorder: 4 })).toThrow(NotComparableError);
    const tooSmall = comparedPair(image, image, { ...COLORS, cropBorder: 1 });
    expect(psnr(tooSmall)).toBe(Infinity);
    expect(() => ssim(tooSmall)).toThrow('SSIM needs at least 7x7 pixels, got 7x6');
  });

  it('are averaged by file', () => {
    expect(
      meanScore([
        { psnr: 20, ssim: 0.5 },
        { psnr: 30, ssim: 1 },
      ]),
    ).toEqual({ psnr: 25, ssim: 0.75 });
  });
});
