import { describe, expect, it } from '@jest/globals';
import { BOTTOM, gainOf, MIDDLE, reachOf, squaredError } from '../../../app/quantization/head-bytes.ts';
import { RandomNumbers } from '../../../app/processing/int8/random-numbers.ts';

const random = new RandomNumbers(3);
/** Mostly below zero, as what a trained head makes. */
const LOW = Float32Array.from({ length: 4000 }, () => random.normal() - 2);
const HIGH = LOW.map((value) => -value);

describe('Bytes of a head', () => {
  it('reach as far as what was seen, each side in the steps that it has', () => {
    expect(reachOf(Float32Array.of(-6.4, 1), { zero: MIDDLE, slope: 0.2 })).toBeCloseTo(0.05, 6);
    expect(reachOf(Float32Array.of(-1, 6.3), { zero: 192, slope: 0.2 })).toBeCloseTo(0.1, 6);
    expect(reachOf(Float32Array.of(2.55), { zero: BOTTOM, slope: 1 })).toBeCloseTo(0.01, 6);
  });

  it('keep their upper half full behind the leaky ReLU', () => {
    expect([MIDDLE, 192, 224].map((zero) => gainOf({ zero }))).toEqual([1, 2, 4]);
    expect(gainOf({ zero: BOTTOM })).toBe(1);
  });

  it('lose less of what is below zero where more of them are for it, and more of what is above', () => {
    const error = (samples: Float32Array, zero: number): number => {
      const form = { zero, slope: 0.2 };
      return squaredError(samples, reachOf(samples, form), form);
    };
    expect(error(LOW, 192)).toBeLessThan(0.6 * error(LOW, MIDDLE));
    expect(error(HIGH, 192)).toBeGreaterThan(error(HIGH, MIDDLE));
  });

  it('lose a twelfth of the square of a step where nothing is cut off', () => {
    const samples = Float32Array.from({ length: 20_000 }, () => random.between(0, 2));
    expect(squaredError(samples, 0.1, { zero: BOTTOM, slope: 1 }) / (0.1 ** 2 / 12)).toBeCloseTo(1, 1);
  });
});
