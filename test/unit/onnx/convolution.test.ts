import { describe, expect, it } from '@jest/globals';
import { convolve } from '../../../app/onnx/convolution.ts';
import { GraphError, WeightsError } from '../../../app/onnx/errors.ts';
import { Graph } from '../../../app/onnx/graph.ts';
import { averagePool, globalAveragePool, maxPool } from '../../../app/onnx/pooling.ts';
import { spectralConv, spectralWeight, weightNormConv } from '../../../app/onnx/kernels/weight-normalization.ts';
import { Weights } from '../../../app/onnx/weights.ts';
import { shapeDict } from '../../support/checkpoints/shape-dict.ts';

const image = (...shape: (number | null)[]) => new Graph().input('image', 'float32', shape);
const weightsOf = (shapes: Record<string, readonly number[]>) => Weights.of(shapeDict(new Map(Object.entries(shapes))));

describe('A convolution', () => {
  it.each([
    ['keeps the size by itself', {}, [1, 8, 13, 11]],
    ['halves it', { stride: 2, padding: 0 }, [1, 8, 6, 5]],
    ['pads each side as it is told', { padding: [0, 0, 1, 3] as const }, [1, 8, 12, 12]],
  ])('%s', (_, options, shape) => {
    const x = image(1, 4, 13, 11);
    const weight = x.graph.input('weight', 'float32', [8, 4, 3, 3]);
    expect(convolve(x, { weight }, options).shape).toEqual(shape);
  });

  it('leaves open sizes open', () => {
    expect(image(1, 4, null, 8).conv(weightsOf({ weight: [8, 4, 3, 3], bias: [8] })).shape).toEqual([1, 8, null, 8]);
  });

  it('names the weight that does not fit its input', () => {
    const build = () => image(1, 6, 8, 8).conv(weightsOf({ 'body.weight': [8, 4, 3, 3], 'body.bias': [8] }).at('body'));
    expect(build).toThrow(new WeightsError('body.weight: takes 4 channels, its input has 6 (of image)'));
  });

  it('takes no weight of another rank', () => {
    const x = image(1, 4, 8, 8);
    expect(() => convolve(x, { weight: x.graph.input('w', 'float32', [8, 4]) })).toThrow(GraphError);
  });
});

describe('A convolution under spectral norm', () => {
  const shapes = { weight_orig: [8, 4, 3, 3], weight_u: [8], weight_v: [36], bias: [8] };

  it('takes all of its tensors', () => {
    const weights = weightsOf(shapes);
    expect(spectralConv(image(2, 4, 5, 5), weights).shape).toEqual([2, 8, 5, 5]);
    expect(() => weights.assertAllRead()).not.toThrow();
  });

  it('may be one-dimensional in the file', () => {
    const weights = weightsOf({ weight_orig: [8, 4, 1], weight_u: [8], weight_v: [4] });
    expect(spectralConv(image(1, 4, 5, 6), weights, { bias: false }).shape).toEqual([1, 8, 5, 6]);
  });

  it('misses a bias that it should have', () => {
    const weights = weightsOf({ weight_orig: [8, 4, 1, 1], weight_u: [8], weight_v: [4] });
    expect(() => spectralConv(image(1, 4, 5, 6), weights)).toThrow('bias: missing');
  });

  it('gives its weight on its own', () => {
    expect(spectralWeight(new Graph(), weightsOf(shapes)).shape).toEqual([8, 4, 3, 3]);
  });

  it.each([
    ['weight_u', [4], 'weight_u: expected shape [8], the file has [4]'],
    ['weight_v', [35], 'weight_v: expected shape [36], the file has [35]'],
  ])('says that %s is of the wrong size', (name, shape, message) => {
    expect(() => spectralConv(image(1, 4, 5, 5), weightsOf({ ...shapes, [name]: shape }))).toThrow(message);
  });
});

describe('A convolution under weight norm', () => {
  it('takes all of its tensors', () => {
    const weights = weightsOf({ weight_v: [8, 4, 1, 1], weight_g: [8, 1, 1, 1], bias: [8] });
    expect(weightNormConv(image(1, 4, 5, 5), weights).shape).toEqual([1, 8, 5, 5]);
    expect(() => weights.assertAllRead()).not.toThrow();
  });
});

describe('Pooling', () => {
  it('counts its windows', () => {
    expect(averagePool(image(1, 3, 9, 7), { kernel: [2, 2] }).shape).toEqual([1, 3, 8, 6]);
    expect(maxPool(image(1, 3, 9, 8), { kernel: [3, 3], stride: 2, padding: [1, 1, 1, 1] }).shape).toEqual([
      1, 3, 5, 4,
    ]);
    expect(globalAveragePool(image(1, 3, null, null)).shape).toEqual([1, 3, 1, 1]);
  });
});
