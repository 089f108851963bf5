import { describe, expect, it } from '@jest/globals';
import type { Fidelity } from '../../../app/quantization/fidelity.ts';
import {
  failuresInWords,
  fidelityOf,
  firstThatPasses,
  inWords,
  passesGate,
} from '../../../app/quantization/fidelity.ts';
import { GOOD_FIGURES } from '../../support/forms/fidelity-figures.ts';

describe('Fidelity', () => {
  it('is what int8 loses against the originals, the mean and the worst, and how like fp32 it is', () => {
    const pairs = [
      { float32: { psnr: 30, ssim: 0.9 }, int8: { psnr: 30.1, ssim: 0.899 }, between: { psnr: 40, ssim: 0.98 } },
      { float32: { psnr: 20, ssim: 0.6 }, int8: { psnr: 19.8, ssim: 0.595 }, between: { psnr: 30, ssim: 0.9 } },
    ];
    expect(fidelityOf(pairs, 0.123)).toEqual({
      pairs: 2,
      psnr_change_mean: -0.05,
      psnr_change_worst: -0.2,
      ssim_change_mean: -0.003,
      ssim_change_worst: -0.005,
      ssim_to_fp32_mean: 0.94,
      ssim_to_fp32_worst: 0.9,
      psnr_to_fp32_mean: 35,
      seam: 0.12,
    });
  });

  it('of equal pictures is a number all the same', () => {
    const equal = { psnr: Infinity, ssim: 1 };
    const figures = fidelityOf([{ float32: equal, int8: equal, between: equal }], 0);
    expect(figures).toMatchObject({ psnr_change_mean: 0, psnr_change_worst: 0, psnr_to_fp32_mean: 100 });
    expect(passesGate(figures)).toBe(true);
  });

  it('passes the gate at its bounds', () => {
    const bounds = { psnr_change_mean: -0.05, psnr_change_worst: -0.4, ssim_change_mean: -0.003 };
    const others = { ssim_change_worst: -0.012, ssim_to_fp32_mean: 0.95, ssim_to_fp32_worst: 0.88 };
    expect(passesGate({ ...GOOD_FIGURES, ...bounds, ...others })).toBe(true);
  });

  it('chooses the first form that passes, and measures no further; the last where none does', async () => {
    const measured: string[] = [];
    const measure = (failing: readonly string[]) => (form: string) => {
      measured.push(form);
      const seam = failing.includes(form) ? 9 : 0;
      return Promise.resolve({ form, measured: { ...GOOD_FIGURES, seam } });
    };
    expect(await firstThatPasses(['whole', 'trunk'], measure([]))).toMatchObject({ form: 'whole' });
    expect(await firstThatPasses(['whole', 'trunk'], measure(['whole']))).toMatchObject({ form: 'trunk' });
    expect(await firstThatPasses(['whole', 'trunk'], measure(['whole', 'trunk']))).toMatchObject({ form: 'trunk' });
    expect(measured).toEqual(['whole', 'whole', 'trunk', 'whole', 'trunk']);
  });

  it.each<[Partial<Fidelity>, string]>([
    [{ psnr_change_mean: -0.051 }, 'the change of PSNR against the original is -0.051, where at least -0.05 is asked'],
    [{ psnr_change_worst: -0.41 }, 'its worst change of PSNR is -0.41'],
    [{ ssim_change_mean: -0.0031 }, 'the change of SSIM against the original is -0.0031'],
    [{ ssim_change_worst: -0.0121 }, 'its worst change of SSIM is -0.0121'],
    [{ ssim_to_fp32_mean: 0.9499 }, 'its likeness to fp32 (SSIM) is 0.9499'],
    [{ ssim_to_fp32_worst: 0.8799 }, 'its worst likeness to fp32 (SSIM) is 0.8799'],
    [{ seam: 9 }, 'edges of tiles stand out by levels of 9, where at most'],
    [{ psnr_change_mean: NaN }, 'NaN'],
  ])('with %j does not pass the gate, and says what failed', (change, words) => {
    const figures = { ...GOOD_FIGURES, ...change };
    expect(passesGate(figures)).toBe(false);
    expect(failuresInWords(figures)).toContain(words);
  });

  it('is told in words', () => {
    expect(inWords(GOOD_FIGURES)).toBe(
      'on 16 pictures whose original is known, int8 is 0.01 dB further from it than fp32 (worst -0.2 dB); SSIM -0.001 (worst -0.006); ' +
        'the two results are alike by SSIM 0.97 (worst 0.9), 38 dB; edges of tiles stand out by 0.3 levels',
    );
    expect(inWords({ ...GOOD_FIGURES, psnr_change_mean: 0.02 })).toContain('int8 is 0.02 dB nearer to it than fp32');
    expect(inWords({ ...GOOD_FIGURES, psnr_change_mean: 0 })).toContain('int8 is as near to it as fp32');
  });
});
