import { describe, expect, it } from '@jest/globals';
import type { RecognisedNetwork } from '../../../../app/architectures/registry.ts';
import { recognise } from '../../../../app/architectures/registry.ts';
import { buildTensorGraph } from '../../../../app/architectures/tensor-graph.ts';
import { WeightsError } from '../../../../app/onnx/errors.ts';
import { refusalOf } from '../../../support/refusal-of.ts';
import type { Shapes } from '../../../support/checkpoints/shape-dict.ts';
import { manifestShapes, shapeDict } from '../../../support/checkpoints/shape-dict.ts';

function built(shapes: Shapes): RecognisedNetwork {
  const network = recognise(shapeDict(shapes));
  buildTensorGraph(network, [1, network.inputChannels, 9, 7]);
  return network;
}

/** The tensors of a `Conv3XC`, as `nn.Module.state_dict` orders them. */
function mergeable(name: string, outputs: number, inputs: number): [string, readonly number[]][] {
  const [wideIn, wideOut] = [2 * inputs, 2 * outputs];
  const layers: [string, readonly number[]][] = [
    ['sk', [outputs, inputs, 1, 1]],
    ['conv.0', [wideIn, inputs, 1, 1]],
    ['conv.1', [wideOut, wideIn, 3, 3]],
    ['conv.2', [outputs, wideOut, 1, 1]],
    ['eval_conv', [outputs, inputs, 3, 3]],
  ];
  return layers.flatMap(([layer, shape]): [string, readonly number[]][] => [
    [`${name}.${layer}.weight`, shape],
    [`${name}.${layer}.bias`, [shape[0] ?? 0]],
  ]);
}

/** The tensors of a SPAN of any measures. */
function spanShapes(features: number, inputs: number, head: number): Map<string, readonly number[]> {
  const blocks = [1, 2, 3, 4, 5, 6].flatMap((block) =>
    ['c1_r', 'c2_r', 'c3_r'].flatMap((conv) => mergeable(`block_${block}.${conv}`, features, features)),
  );
  return new Map([
    ...mergeable('conv_1', features, inputs),
    ...blocks,
    ['conv_cat.weight', [features, 4 * features, 1, 1]],
    ['conv_cat.bias', [features]],
    ...mergeable('conv_2', features, features),
    ['upsampler.0.weight', [head, features, 3, 3]],
    ['upsampler.0.bias', [head]],
  ]);
}

describe('SPAN', () => {
  it.each([
    [48, 48, 4],
    [28, 12, 2],
    [52, 27, 3],
    [16, 3, 1],
  ])('of %i features and a head of %i channels enlarges by %i', (features, head, scale) => {
    expect(built(spanShapes(features, 3, head))).toMatchObject({
      architecture: 'SPAN',
      scale,
      inputChannels: 3,
      outputChannels: 3,
      parameters: { num_in_ch: 3, num_out_ch: 3, feature_channels: features, upscale: scale, norm: true },
      multipleOf: 1,
      halo: 21,
    });
  });

  it('takes the picture as it is where the file says no_norm', () => {
    const shapes = spanShapes(24, 1, 4).set('no_norm', [1]);
    expect(built(shapes)).toMatchObject({ inputChannels: 1, scale: 2, parameters: { norm: false } });
  });

  it('is refused where its input is not the three channels that it takes the mean of', () => {
    expect(refusalOf(() => built(spanShapes(24, 1, 4))).message).toContain(
      'conv_1.sk.weight: takes pictures of 1 channel, and the mean that is taken off them has 3',
    );
  });

  const shapes = manifestShapes('spanx4_ch48');
  const used = [...shapes.keys()].filter((name) => !name.includes('.eval_conv.'));

  it('does without the convolutions that were merged when the file was saved', () => {
    expect(built(new Map(used.map((name) => [name, shapes.get(name) ?? []]))).architecture).toBe('SPAN');
  });

  it('without a single tensor is an error that names it', () => {
    for (const missing of used) {
      const rest = new Map([...shapes].filter(([name]) => name !== missing));
      expect(refusalOf(() => built(rest)).message).toContain(missing);
    }
  });

  it('with a tensor of another shape is an error that names it or its neighbour', () => {
    for (const name of used) {
      const shape = shapes.get(name) ?? [];
      for (const axis of shape.keys()) {
        const other = new Map([...shapes, [name, shape.with(axis, (shape[axis] ?? 0) + 1)]]);
        expect(refusalOf(() => built(other)).message).toMatch(/conv_1|conv_2|conv_cat|block_\d|upsampler|49 channels/);
      }
    }
  });

  it.each(['block_7.c1_r.sk.weight', 'upsampler.1.weight', 'conv_3.weight'])(
    'with %s too is an error that names it',
    (extra) => {
      const error = refusalOf(() => built(new Map([...shapes, [extra, [16]]])));
      expect(error).toBeInstanceOf(WeightsError);
      expect(error.message).toContain(extra);
    },
  );
});
