import { describe, expect, it } from '@jest/globals';
import { fidelityOf, passesGate } from '../../../app/quantization/fidelity.ts';

const flat = (level: number): Uint8Array => new Uint8Array(300).fill(level);

describe('Fidelity', () => {
  it('is the mean and the worst of the crops, and the largest difference of any sample', () => {
    const off = flat(100);
    off[7] = 110;
    // 10 log10(255^2 / (100 / 300)), and 10 log10(255^2 / 1)
    expect(fidelityOf([[flat(100), off] as const, [flat(0), flat(1)] as const])).toEqual({
      crops: 2,
      psnr_mean: 50.52,
      psnr_worst: 48.13,
      largest_difference: 10,
    });
  });

  it('of equal pictures is a number all the same', () => {
    expect(fidelityOf([[flat(3), flat(3)]])).toEqual({
      crops: 1,
      psnr_mean: 100,
      psnr_worst: 100,
      largest_difference: 0,
    });
  });

  it.each([
    [{ psnr_mean: 48, psnr_worst: 45, largest_difference: 16 }, true],
    [{ psnr_mean: 47.99, psnr_worst: 47, largest_difference: 3 }, false],
    [{ psnr_mean: 54, psnr_worst: 44.99, largest_difference: 3 }, false],
    [{ psnr_mean: 54, psnr_worst: 52, largest_difference: 17 }, false],
    [{ psnr_mean: NaN, psnr_worst: NaN, largest_difference: 0 }, false],
  ])('%j passes the gate: %s', (figures, isPassed) => {
    expect(passesGate({ crops: 8, ...figures })).toBe(isPassed);
  });
});
