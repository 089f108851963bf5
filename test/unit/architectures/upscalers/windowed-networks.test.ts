import { describe, expect, it } from '@jest/globals';
import type { RecognisedNetwork } from '../../../../app/architectures/registry.ts';
import { recognise } from '../../../../app/architectures/registry.ts';
import { buildTensorGraph } from '../../../../app/architectures/tensor-graph.ts';
import { HiresFixError } from '../../../../app/errors.ts';
import { WeightsError } from '../../../../app/onnx/errors.ts';
import { readManifest } from '../../../support/checkpoints/hashed-weights.ts';
import type { Shapes } from '../../../support/checkpoints/shape-dict.ts';
import { manifestShapes, shapeDict } from '../../../support/checkpoints/shape-dict.ts';
import { refusalOf } from '../../../support/refusal-of.ts';

/** A file of each family, and its tensors that nothing is calculated from: made anew for the size of the picture. */
const NETWORKS: readonly (readonly [manifest: string, unused: RegExp])[] = [
  ['SwinIR-S_lightweight_x2', /attn_mask$|relative_position_index$/],
  ['SwinIR-M_colorCAR_w7', /attn_mask$|relative_position_index$/],
  ['SwinIR-L_real_x4', /attn_mask$|relative_position_index$/],
  ['DAT_2_x4', /attn_mask_[01]$|relative_position_index$|num_batches_tracked$/],
];

function built(shapes: Shapes): RecognisedNetwork {
  const network = recognise(shapeDict(shapes));
  buildTensorGraph(network, [1, network.inputChannels, 17, 18]);
  return network;
}

/** Of tensors whose names differ in nothing but numbers the first and the last. */
function oneOfEachKind(names: readonly string[]): string[] {
  const kindOf = (name: string): string => name.replaceAll(/\d+/g, '#');
  const first = new Map(names.toReversed().map((name) => [kindOf(name), name]));
  const last = new Map(names.map((name) => [kindOf(name), name]));
  return [...new Set([...first.values(), ...last.values()])];
}

describe.each(NETWORKS)('%s', (manifest, unused) => {
  const shapes = manifestShapes(manifest);
  const used = oneOfEachKind([...shapes.keys()].filter((name) => !unused.test(name)));

  it('is recognised by its keys, with its parameters, and has a graph for sides that are known', () => {
    const { expected } = readManifest(manifest);
    expect(built(shapes)).toMatchObject({
      architecture: expected['architecture'],
      scale: expected['scale'],
      inputChannels: expected['in_nc'],
      outputChannels: expected['out_nc'],
      parameters: expected['hyperparameters'],
      sides: 'fixed',
    });
  });

  it('without a single tensor is an error that names it', () => {
    for (const missing of used) {
      const error = refusalOf(() => built(new Map([...shapes].filter(([name]) => name !== missing))));
      expect(error.message).toContain(missing);
    }
  });

  it('with a tensor of another shape is an error of ours', () => {
    for (const [index, name] of used.entries()) {
      const shape = shapes.get(name) ?? [];
      const axis = index % shape.length;
      const other = new Map(shapes).set(name, shape.with(axis, (shape[axis] ?? 0) + 1));
      const refusal = refusalOf(() => {
        built(other);
        throw new RangeError(`${name} of shape [${(other.get(name) ?? []).join(', ')}] makes a network`);
      });
      expect(refusal).toBeInstanceOf(HiresFixError);
    }
  });

  it.each(['layers.0.extra.weight', 'conv_extra.bias', 'absolute_pos_embed'])(
    'with %s too is an error that names it',
    (extra) => {
      const error = refusalOf(() => built(new Map([...shapes, [extra, [16]]])));
      expect(error).toBeInstanceOf(WeightsError);
      expect(error.message).toContain(extra);
    },
  );
});
