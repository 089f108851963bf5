import { describe, expect, it } from '@jest/globals';
import { convNextName } from '../../../../app/architectures/color/convnext.ts';
import { recognise } from '../../../../app/architectures/registry.ts';
import { buildTensorGraph } from '../../../../app/architectures/tensor-graph.ts';
import { readManifest } from '../../../support/checkpoints/hashed-weights.ts';
import { builds, manifestShapes, shapeDict } from '../../../support/checkpoints/shape-dict.ts';

describe('DDColor', () => {
  it.each(['ddcolor_modelscope', 'ddcolor_paper_tiny'])('reads the parameters of %s', (name) => {
    const network = recognise(shapeDict(manifestShapes(name)));
    expect(network.architecture).toBe('DDColor');
    expect(network.parameters).toEqual(readManifest(name).expected['parameters']);
    expect(network.role).toBe('colorizer');
  });

  it.each(['with', 'without'])('reads a file %s the classifier of its encoder', (how) => {
    const shapes = manifestShapes('ddcolor_modelscope');
    if (how === 'without') for (const tensor of ['weight', 'bias']) shapes.delete(`encoder.arch.head_cls.${tensor}`);
    expect(() => buildTensorGraph(recognise(shapeDict(shapes)), [1, 3, 64, 64])).not.toThrow();
  });

  it('pads what is no multiple of 32 and gives two channels of the size that came', () => {
    const network = recognise(shapeDict(manifestShapes('ddcolor_paper_tiny')));
    expect(network).toMatchObject({ multipleOf: 32, outputChannels: 2, scale: 1 });
    expect(() => buildTensorGraph(network, [2, 3, 70, 33])).not.toThrow();
  });

  it('cannot do without any of its tensors', () => {
    const shapes = manifestShapes('ddcolor_paper_tiny');
    const used = [...shapes.keys()].filter((name) => !/num_batches_tracked$|^encoder\.arch\.norm\./.test(name));
    const tried = used.filter((_, i) => i % 5 === 0); // prime to what repeats in a file
    const needless = tried.filter((name) => builds(new Map([...shapes].filter(([kept]) => kept !== name))));
    expect(needless).toEqual([]);
    expect(builds(shapes)).toBe(true);
  });

  it('says which tensor is missing', () => {
    const shapes = manifestShapes('ddcolor_paper_tiny');
    shapes.delete('decoder.color_decoder.transformer_ffn_layers.8.linear2.weight');
    const network = recognise(shapeDict(shapes));
    expect(() => buildTensorGraph(network, [1, 3, 64, 64])).toThrow(
      /transformer_ffn_layers\.8\.linear2\.weight: missing/,
    );
  });

  it('says which tensor it has no use for', () => {
    const shapes = manifestShapes('ddcolor_paper_tiny').set('decoder.layers.3.conv.0.weight_orig', [1, 1, 1, 1]);
    const network = recognise(shapeDict(shapes));
    expect(() => buildTensorGraph(network, [1, 3, 64, 64])).toThrow(/does not use decoder\.layers\.3/);
  });

  it('names the sizes of ConvNeXt that have names', () => {
    expect(convNextName({ depths: [3, 3, 27, 3], dims: [128, 256, 512, 1024] })).toBe('convnext-b');
    expect(convNextName({ depths: [3, 3, 27, 3], dims: [96, 192, 384, 768] })).toBe('convnext-s');
    expect(convNextName({ depths: [1, 1, 1, 1], dims: [8, 16, 32, 64] })).toBe('convnext');
  });
});
