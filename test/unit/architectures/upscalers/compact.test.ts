import { describe, expect, it } from '@jest/globals';
import { pixelShuffleHead } from '../../../../app/architectures/upscalers/pixel-shuffles.ts';
import { UnknownNetworkError } from '../../../../app/architectures/errors.ts';
import type { RecognisedNetwork } from '../../../../app/architectures/registry.ts';
import { recognise } from '../../../../app/architectures/registry.ts';
import { buildTensorGraph } from '../../../../app/architectures/tensor-graph.ts';
import { WeightsError } from '../../../../app/onnx/errors.ts';
import { Weights } from '../../../../app/onnx/weights.ts';
import { refusalOf } from '../../../support/refusal-of.ts';
import type { Shapes } from '../../../support/checkpoints/shape-dict.ts';
import { shapeDict } from '../../../support/checkpoints/shape-dict.ts';
import { readSmallNetworks } from '../../../support/networks/small-networks.ts';

const NETWORKS = readSmallNetworks().filter(({ expected }) => expected.architecture === 'Compact');

function shapesOf(name: string): Map<string, readonly number[]> {
  const network = NETWORKS.find((row) => row.name === name);
  if (!network) throw new Error(`no network ${name}`);
  return new Map(Object.entries(network.tensors).map(([tensor, [shape]]) => [tensor, shape]));
}

/** The tensors of a Compact network of any measures. */
function compactShapes(inputs: number, features: number, convs: number, head: number): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  for (let i = 0; i <= convs + 1; i++) {
    const [before, after] = [i === 0 ? inputs : features, i > convs ? head : features];
    shapes.set(`body.${2 * i}.weight`, [after, before, 3, 3]).set(`body.${2 * i}.bias`, [after]);
    if (i <= convs) shapes.set(`body.${2 * i + 1}.weight`, [features]);
  }
  return shapes;
}

function built(shapes: Shapes): RecognisedNetwork {
  const network = recognise(shapeDict(shapes));
  buildTensorGraph(network, [1, network.inputChannels, 9, 7]);
  return network;
}

describe('Compact', () => {
  it.each(NETWORKS)('is recognised and built from names and shapes alone: $name', ({ name, expected }) => {
    expect(built(shapesOf(name))).toMatchObject({
      architecture: 'Compact',
      scale: expected.scale,
      inputChannels: expected.input_channels,
      outputChannels: expected.output_channels,
      parameters: expected.parameters,
      multipleOf: 1,
    });
  });

  it.each([
    [3, 64, 16, 48],
    [3, 24, 8, 12],
    [3, 48, 20, 27],
    [1, 1, 0, 1],
    [1, 7, 3, 64],
    [4, 64, 1, 100],
    [3, 128, 40, 768],
  ])('of %i channels, %i features, %i convolutions and a head of %i is built', (inputs, features, convs, head) => {
    const { parameters, scale } = built(compactShapes(inputs, features, convs, head));
    const upscale = Math.sqrt(head / inputs);
    expect(scale).toBe(upscale);
    expect(parameters).toMatchObject({ num_in_ch: inputs, num_feat: features, num_conv: convs, upscale });
  });

  it('sees one pixel further with every convolution, which is its halo', () => {
    expect(built(compactShapes(3, 64, 16, 48)).halo).toBe(18);
    expect(built(compactShapes(3, 64, 32, 48)).halo).toBe(34);
  });

  describe('compact-x4', () => {
    const shapes = shapesOf('compact-x4');

    it.each([...shapes.keys()])('without %s is an error that names it', (name) => {
      const rest = new Map([...shapes].filter(([other]) => other !== name));
      expect(refusalOf(() => built(rest)).message).toContain(name);
    });

    it.each([...shapes.keys()].filter((name) => name.endsWith('.weight')))('without the layer of %s too', (name) => {
      const layer = name.replace('weight', '');
      const rest = new Map([...shapes].filter(([other]) => !other.startsWith(layer)));
      expect(refusalOf(() => built(rest)).message).toContain(name);
    });

    it.each(['body.11.weight', 'body.12.weight', 'body.1.bias', 'upsampler.weight', 'conv.weight'])(
      'with %s too is an error that names it',
      (extra) => {
        const error = refusalOf(() => built(new Map([...shapes, [extra, [16]]])));
        expect(error).toBeInstanceOf(WeightsError);
        expect(error.message).toMatch(/body\.11|body\.12|body\.1\.bias|upsampler|conv\.weight/);
      },
    );

    it('with a tensor of another shape is an error that names it or its neighbour', () => {
      for (const [name, shape] of shapes) {
        for (const axis of shape.keys()) {
          if (name === 'body.0.weight' && axis === 1) continue; // see below
          const other = shape.with(axis, (shape[axis] ?? 0) + 1);
          const error = refusalOf(() => built(new Map([...shapes, [name, other]])));
          expect(error.message).toMatch(/body\.\d+|a head of 49 channels after 3/);
        }
      }
    });

    it('whose input cannot be added to its output is not known', () => {
      const error = refusalOf(() => recognise(shapeDict(new Map([...shapes, ['body.0.weight', [16, 2, 3, 3]]]))));
      expect(error).toBeInstanceOf(UnknownNetworkError);
      expect(error.message).toContain('a head of 48 channels after 2 would be a picture of 3');
    });

    it('of which a file has body.4000000000 too is refused at once', () => {
      const error = refusalOf(() => built(new Map([...shapes, ['body.4000000000.weight', [16]]])));
      expect(error.message).toContain('body.11.weight: missing');
    });
  });
});

describe('The head of a pixel shuffle', () => {
  const headOf = (features: number, inputs: number) =>
    pixelShuffleHead(Weights.of(shapeDict(new Map([['up.weight', [features, 8, 3, 3]]]))), 'up.weight', inputs);

  it.each([
    [48, 3, { channels: 3, factor: 4 }],
    [3, 3, { channels: 3, factor: 1 }],
    [12, 3, { channels: 3, factor: 2 }],
    [27, 3, { channels: 3, factor: 3 }],
    [192, 3, { channels: 3, factor: 8 }],
    [4, 1, { channels: 1, factor: 2 }],
    [12, 1, { channels: 3, factor: 2 }],
    [48, 1, { channels: 3, factor: 4 }],
    [16, 4, { channels: 4, factor: 2 }],
    [36, 3, { channels: 4, factor: 3 }],
    [64, 2, { channels: 4, factor: 4 }],
    [25, 3, { channels: 1, factor: 5 }],
  ])('of %i channels after %i is as spandrel reads it', (features, inputs, expected) => {
    expect(headOf(features, inputs)).toEqual(expected);
  });

  it('of a number that is no square of anything is an error', () => {
    expect(() => headOf(7, 3)).toThrow('up.weight: a head of 7 channels is no pixel shuffle of 3, 3, 4 or 1 channels');
  });
});
