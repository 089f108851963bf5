import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ConvStep, DenseBlock } from '../../../app/quantization/dense-block.ts';
import { foldScales, roundWeights } from '../../../app/quantization/folded-weights.ts';
import type { RoundedConv } from '../../../app/quantization/folded-weights.ts';
import { errorFeedback } from '../../../app/quantization/error-feedback.ts';
import { LAGS, Moments } from '../../../app/quantization/moments.ts';
import { RandomNumbers } from '../../../app/processing/int8/random-numbers.ts';
import { Ranges } from '../../../app/quantization/ranges.ts';
import { trunkScales } from '../../../app/quantization/scales.ts';

const number = fc.double({ min: -100, max: 100, noNaN: true });

function conv(input: string, output: string, [outputs, inputs]: readonly [number, number]): ConvStep {
  const initializer = (name: string, shape: readonly number[]) =>
    ({ name, shape, type: 'float32', data: new Uint8Array(0) }) as const;
  const weight = initializer(`${output}.weight`, [outputs, inputs, 1, 1]);
  return { kind: 'conv', input, output, weight, bias: initializer(`${output}.bias`, [outputs]), attributes: {} };
}

/** x -> a -> relu -> [x, a] -> y. */
function block(slope: number): DenseBlock {
  const [first, last] = [conv('x', 'a', [1, 2]), conv('all', 'y', [2, 3])];
  const activation = { kind: 'activation', input: 'a', output: 'a+', slope } as const;
  const concat = { kind: 'concat', inputs: ['x', 'a+'], output: 'all' } as const;
  return { input: 'x', output: 'y', steps: [first, activation, concat, last], last, factor: 1 };
}

function ranges(): Ranges {
  const seen = new Ranges();
  seen.add('x', { low: Float32Array.of(-1, -4), high: Float32Array.of(2, 3) });
  seen.add('x', { low: Float32Array.of(-2, 0), high: Float32Array.of(1, 8) });
  seen.add('a', { low: Float32Array.of(-12.8), high: Float32Array.of(6.35) });
  seen.add('y', { low: Float32Array.of(-1, -1), high: Float32Array.of(2, 4) });
  return seen;
}

describe('Rounding weights', () => {
  it.each([63, 127])('keeps them within %i, and each within half a step of what it was', (limit) => {
    fc.assert(
      fc.property(
        fc.array(fc.array(number, { minLength: 6, maxLength: 6 }), { minLength: 1, maxLength: 4 }),
        (rows) => {
          const numbers = {
            weight: Float64Array.from(rows.flat()),
            bias: Float64Array.from(rows, ([first = 0]) => first),
            taps: 1,
          };
          const { weight, scale, bias } = roundWeights(numbers, limit);
          weight.forEach((byte, at) => {
            const step = scale[Math.floor(at / 6)] ?? 0;
            expect(Math.abs(byte)).toBeLessThanOrEqual(limit);
            expect(Math.abs(byte * step - (numbers.weight[at] ?? 0))).toBeLessThanOrEqual(step * (0.5 + 1e-4));
          });
          bias.forEach((steps, output) => {
            const step = scale[output] ?? 0;
            expect(Math.abs(steps * step - (numbers.bias[output] ?? 0))).toBeLessThanOrEqual(step * (0.5 + 1e-4));
          });
        },
      ),
    );
  });

  it('takes channels of zeros, and keeps a bias that stands beside next to nothing', () => {
    const numbers = { weight: Float64Array.of(0, 0, 1e-30, 0), bias: Float64Array.of(0, -3), taps: 1 };
    const { weight, scale, bias } = roundWeights(numbers, 127);
    expect([...weight]).toEqual([0, 0, 0, 0]);
    expect([(bias[0] ?? NaN) * (scale[0] ?? 0), (bias[1] ?? NaN) * (scale[1] ?? 0)]).toEqual([0, -3]);
  });
});

/** Neighbours are much alike, and more so the nearer they are. */
const CORRELATIONS = LAGS.map(([down, across]) => 0.9 ** (Math.abs(down) + Math.abs(across)));

describe('Rounding weights with feedback', () => {
  const random = new RandomNumbers(5);
  const numbers = {
    weight: Float64Array.from({ length: 4 * 16 * 9 }, () => random.normal()),
    bias: Float64Array.of(1, -1, 0, 2),
    taps: 9,
  };
  const means = Float64Array.from({ length: 16 }, () => random.between(0, 40));
  const nearest = roundWeights(numbers, 127);
  const together = roundWeights(numbers, 127, errorFeedback(means, CORRELATIONS));

  /** Errors of one output channel, by input channel and tap, in its steps. */
  const errorsOf = ({ weight, scale }: RoundedConv, output: number): number[] =>
    Array.from({ length: 144 }, (_, at) => {
      return (numbers.weight[output * 144 + at] ?? 0) / (scale[output] ?? 1) - (weight[output * 144 + at] ?? 0);
    });

  it('lets errors cancel where neighbouring pixels are alike', () => {
    const noise = (rounded: RoundedConv): number => {
      const sums = [0, 1, 2, 3].flatMap((output) => {
        const errors = errorsOf(rounded, output);
        return Array.from({ length: 16 }, (_, i) => {
          return errors.slice(9 * i, 9 * i + 9).reduce((total, error) => total + error, 0) ** 2;
        });
      });
      return sums.reduce((total, square) => total + square, 0);
    };
    expect(noise(together)).toBeLessThan(0.25 * noise(nearest));
    expect([...together.scale]).toEqual([...nearest.scale]);
    expect([...together.weight].every((byte) => Math.abs(byte) <= 127)).toBe(true);
  });

  it('puts into the bias what the rounded weights lack on average', () => {
    for (const output of [0, 1, 2, 3]) {
      const lost = errorsOf(together, output).reduce((sum, error, at) => {
        return sum + error * (means[Math.floor(at / 9)] ?? 0);
      }, 0);
      const wanted = (numbers.bias[output] ?? 0) / (together.scale[output] ?? 1) + lost;
      expect(Math.abs((together.bias[output] ?? 0) - wanted)).toBeLessThanOrEqual(0.51);
    }
  });

  it('rounds to the nearest where nothing is alike and nothing is there', () => {
    const still = errorFeedback(
      new Float64Array(16),
      LAGS.map((_, lag) => (lag === 0 ? 1 : 0)),
    );
    expect(roundWeights(numbers, 127, still)).toEqual(nearest);
  });
});

describe('Moments', () => {
  it('are means, and correlations of what lies apart, each channel in its scale', () => {
    const moments = new Moments(2);
    const products = (lag: number): number[] => (lag === 0 ? [10, 4] : [5, 4]);
    moments.add({
      values: Float32Array.of(1, 2),
      products: Float32Array.from(LAGS.flatMap((_, lag) => products(lag))),
    });
    expect([...moments.means()]).toEqual([1, 2]);
    // Variances 10 - 1 and 4 - 4; at a distance 5 - 1 and 4 - 4.
    expect([...moments.correlations(Float64Array.of(3, 1))]).toEqual([
      1,
      ...Array<number>(12).fill(expect.closeTo(4 / 9, 9) as unknown as number),
    ]);
  });
});

describe('Scales', () => {
  it('give every tensor room for more than was seen, on both sides of zero', () => {
    const { trunk, blocks } = trunkScales([block(0.2)], ranges(), 1.6);
    const [scales] = blocks;
    const x = scales?.values.get('x') ?? [];
    expect(Math.max(2 / (x[0] ?? 0), 8 / (x[1] ?? 0))).toBeCloseTo(127 / 1.6, 3);
    expect((x[0] ?? 0) / (x[1] ?? 1)).toBeCloseTo((trunk[0] ?? 0) / (trunk[1] ?? 1), 6);
    expect(scales?.values.get('a')?.[0]).toBeCloseTo((1.6 * 12.8) / 128, 6);
  });

  it('do not count what a plain ReLU makes zero', () => {
    expect(trunkScales([block(0)], ranges(), 1.6).blocks[0]?.values.get('a')?.[0]).toBeCloseTo((1.6 * 6.35) / 127, 6);
  });

  it('go along with channels through activations and Concat', () => {
    const values = trunkScales([block(0.2)], ranges(), 1.6).blocks[0]?.values;
    expect([...(values?.get('all') ?? [])]).toEqual([...(values?.get('x') ?? []), ...(values?.get('a') ?? [])]);
  });

  it('are numbers to divide by, also of a network that does nothing', () => {
    const still = new Ranges();
    for (const [value, count] of [['x', 2] as const, ['a', 1] as const, ['y', 2] as const]) {
      still.add(value, { low: new Float32Array(count), high: new Float32Array(count) });
    }
    const { trunk, blocks } = trunkScales([block(0.2)], still, 1.6);
    const all = [...trunk, blocks[0]?.input ?? 0, blocks[0]?.output ?? 0, ...(blocks[0]?.values.get('all') ?? [])];
    expect(all.every((scale) => scale > 0 && Number.isFinite(1 / scale))).toBe(true);
  });

  it('fold into weights so that nothing changes but the units', () => {
    const dense = block(0.2);
    const scales = trunkScales([dense], ranges(), 1.6).blocks[0];
    if (!scales) throw new Error('no scales');
    const weights: Readonly<Record<string, number[]>> = { 'y.weight': [1, 2, 3, 4, 5, 6], 'y.bias': [7, 8] };
    const { weight, bias } = foldScales(dense.last, scales, (name) => Float32Array.from(weights[name] ?? []));
    const [from, to] = [[...(scales.values.get('all') ?? [])], [...(scales.values.get('y') ?? [])]];
    const input = [0.3, -0.7, 0.9];
    const outputs = [0, 1].map((o) => {
      const sum = input.reduce((total, value, i) => total + (weight[3 * o + i] ?? 0) * (value / (from[i] ?? 1)), 0);
      return (sum + (bias[o] ?? 0)) * (to[o] ?? 0);
    });
    expect(outputs[0]).toBeCloseTo(0.3 - 1.4 + 2.7 + 7, 9);
    expect(outputs[1]).toBeCloseTo(1.2 - 3.5 + 5.4 + 8, 9);
  });
});
