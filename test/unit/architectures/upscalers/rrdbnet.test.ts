import { describe, expect, it } from '@jest/globals';
import { UnknownNetworkError } from '../../../../app/architectures/errors.ts';
import type { RecognisedNetwork } from '../../../../app/architectures/registry.ts';
import { recognise } from '../../../../app/architectures/registry.ts';
import { buildTensorGraph } from '../../../../app/architectures/tensor-graph.ts';
import { WeightsError } from '../../../../app/onnx/errors.ts';
import { refusalOf } from '../../../support/refusal-of.ts';
import type { Shapes } from '../../../support/checkpoints/shape-dict.ts';
import { shapeDict } from '../../../support/checkpoints/shape-dict.ts';
import { readSmallNetworks } from '../../../support/networks/small-networks.ts';

const NETWORKS = readSmallNetworks().filter(({ expected }) => expected.architecture === 'ESRGAN');

function shapesOf(name: string): Map<string, readonly number[]> {
  const network = NETWORKS.find((row) => row.name === name);
  if (!network) throw new Error(`no network ${name}`);
  return new Map(Object.entries(network.tensors).map(([tensor, [shape]]) => [tensor, shape]));
}

/** Recognises and builds, as whatever runs a network does. */
function built(shapes: Shapes): RecognisedNetwork {
  const network = recognise(shapeDict(shapes));
  buildTensorGraph(network, [1, network.inputChannels, 16, 12]);
  return network;
}

/** One of each spelling. */
const SPELLINGS = ['new-x4', 'bsrgan-x2', 'old-x4', 'plus-x4-gray-growth8', 'new-x2-unshuffle2'];

describe('RRDBNet', () => {
  it.each(NETWORKS)('is recognised and built from names and shapes alone: $name', ({ name, expected }) => {
    const network = built(shapesOf(name));
    expect(network).toMatchObject({
      architecture: 'ESRGAN',
      scale: expected.scale,
      inputChannels: expected.input_channels,
      outputChannels: expected.output_channels,
      parameters: expected.parameters,
      multipleOf: expected.parameters['shuffle_factor'] ?? 1,
    });
  });

  it('needs a halo in its own pixels, folded or not', () => {
    expect(built(shapesOf('new-x2')).halo * 4).toBe(built(shapesOf('new-x1-unshuffle4')).halo);
  });

  describe.each(SPELLINGS)('%s', (spelling) => {
    const shapes = shapesOf(spelling);
    const names = [...shapes.keys()];

    it.each(names)('without %s is an error that names it', (name) => {
      const rest = new Map([...shapes].filter(([other]) => other !== name));
      const error = refusalOf(() => built(rest));
      expect(error).toBeInstanceOf(WeightsError);
      expect(error.message).toContain(`${name}: missing`);
    });

    it.each([
      'conv_extra.weight',
      'body.0.rdb4.conv1.weight',
      'model.1.sub.0.RDB1.conv1.1.weight',
      `${names[0] ?? ''}_v`,
      `${names.at(-1) ?? ''}.scale`,
    ])('with %s too is an error that names it', (extra) => {
      const error = refusalOf(() => built(new Map([...shapes, [extra, [1]]])));
      expect(error).toBeInstanceOf(WeightsError);
      expect(error.message).toContain(extra);
    });

    it('with a tensor of another shape is an error that names it or its bias', () => {
      for (const [name, shape] of shapes) {
        for (const axis of shape.keys()) {
          // Another number of input channels is another network, and a good one.
          if (axis === 1 && name === names[0]) continue;
          const other = shape.with(axis, (shape[axis] ?? 0) + 1);
          const error = refusalOf(() => built(new Map([...shapes, [name, other]])));
          expect([error.constructor.name, error.message]).toEqual([
            'WeightsError',
            expect.stringContaining(stem(name)),
          ]);
        }
        const flat = refusalOf(() => built(new Map([...shapes, [name, [...shape, 1]]])));
        expect([flat.constructor.name, flat.message]).toEqual(['WeightsError', expect.stringContaining(stem(name))]);
      }
    });
  });

  it.each([
    ['new-x4', 'body.1.', 'body.1: missing'],
    ['new-x4', 'body.0.', 'body.0: missing'],
    ['new-x4', 'conv_up1.', 'conv_up1.weight: missing'],
    ['new-x4', 'conv_body.', 'conv_body.weight: missing'],
    ['old-x2-growth16', 'model.1.sub.0.', 'model.1.sub.0: missing'],
    ['old-x2-growth16', 'model.1.sub.2.', 'model.1.sub.2.weight: missing'],
    ['old-x4', 'model.3.', 'model.3.weight: missing'],
    ['old-x4', 'model.6.', 'model.6.weight: missing'],
    ['bsrgan-x2', 'RRDB_trunk.0.', 'RRDB_trunk.0: missing'],
  ])('%s without all of %s is told what is missing', (name, prefix, message) => {
    const rest = new Map([...shapesOf(name)].filter(([tensor]) => !tensor.startsWith(prefix)));
    expect(refusalOf(() => built(rest)).message).toContain(message);
  });

  it.each(['body.99999999999999999999.rdb1.conv1.weight', 'conv_up7.weight', 'conv_up4000000000.weight'])(
    'of which a file has %s too is refused at once',
    (name) => {
      expect(refusalOf(() => built(new Map([...shapesOf('new-x4'), [name, [16, 16, 3, 3]]])))).toBeInstanceOf(
        WeightsError,
      );
    },
  );

  it.each(['model.4000000000.weight', 'model.1.sub.99999999999999999999.weight', 'model.1.sub.4000000000.RDB1.x'])(
    'of the old kind of which a file has %s too is refused at once',
    (name) => {
      expect(refusalOf(() => built(new Map([...shapesOf('old-x4'), [name, [16, 16, 3, 3]]])))).toBeInstanceOf(
        WeightsError,
      );
    },
  );

  it('that would make pictures smaller is not known', () => {
    const shapes = shapesOf('new-x1-unshuffle4');
    const fewer = new Map([...shapes].filter(([name]) => !name.startsWith('conv_up2')));
    const error = refusalOf(() => recognise(shapeDict(fewer)));
    expect(error).toBeInstanceOf(UnknownNetworkError);
    expect(error.message).toContain('folds pixels by 4 and enlarges by 2');
  });
});

/** A layer's name: what is wrong with a weight may show in its bias. */
function stem(name: string): string {
  return name.replace(/\.(weight|bias)$/, '');
}
