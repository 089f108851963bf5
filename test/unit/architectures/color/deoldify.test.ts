import { describe, expect, it } from '@jest/globals';
import { recognise } from '../../../../app/architectures/registry.ts';
import { buildTensorGraph } from '../../../../app/architectures/tensor-graph.ts';
import { readManifest } from '../../../support/checkpoints/hashed-weights.ts';
import { builds, manifestShapes, shapeDict } from '../../../support/checkpoints/shape-dict.ts';

describe('DeOldify', () => {
  it.each(['ColorizeArtistic_gen', 'ColorizeStable_gen'])('reads the parameters of %s', (name) => {
    const network = recognise(shapeDict(manifestShapes(name)));
    expect(network.architecture).toBe('DeOldify');
    expect(network.parameters).toEqual(readManifest(name).expected['parameters']);
    expect(network.role).toBe('colorizer');
  });

  it.each([
    ['ColorizeArtistic_gen', 16],
    ['ColorizeArtistic_gen', 80],
    ['ColorizeStable_gen', 112],
    ['ColorizeStable_gen', 560],
  ])('fits the decoder of %s to the encoder at %i pixels', (name, side) => {
    const network = recognise(shapeDict(manifestShapes(name)));
    expect(() => buildTensorGraph(network, [1, 3, side, side])).not.toThrow();
  });

  it('cannot do without any of its tensors', () => {
    const shapes = manifestShapes('ColorizeArtistic_gen');
    const used = [...shapes.keys()].filter((name) => !name.endsWith('num_batches_tracked'));
    const tried = used.filter((_, i) => i % 5 === 0); // prime to what repeats in a file
    const needless = tried.filter((name) => builds(new Map([...shapes].filter(([kept]) => kept !== name))));
    expect(needless).toEqual([]);
    expect(builds(shapes)).toBe(true);
  });

  it('says which tensor is missing', () => {
    const shapes = manifestShapes('ColorizeArtistic_gen');
    shapes.delete('layers.10.layers.1.0.weight_u');
    const network = recognise(shapeDict(shapes));
    expect(() => buildTensorGraph(network, [1, 3, 64, 64])).toThrow('layers.10.layers.1.0.weight_u: missing');
  });

  it('says which tensor it has no use for', () => {
    const shapes = manifestShapes('ColorizeArtistic_gen').set('layers.6.conv3.0.weight_orig', [1, 1, 3, 3]);
    const network = recognise(shapeDict(shapes));
    expect(() => buildTensorGraph(network, [1, 3, 64, 64])).toThrow(/does not use layers\.6\.conv3\.0\.weight_orig/);
  });

  it('tells another ResNet by its blocks', () => {
    const shapes = manifestShapes('ColorizeArtistic_gen');
    for (const name of shapes.keys()) if (name.startsWith('layers.0.7.2.')) shapes.delete(name);
    expect(recognise(shapeDict(shapes)).parameters).toMatchObject({ encoder: 'resnet(basic 3,4,6,2)' });
  });
});
