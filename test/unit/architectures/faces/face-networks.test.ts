import { describe, expect, it } from '@jest/globals';
import { NetworkInputError, UnknownNetworkError } from '../../../../app/architectures/errors.ts';
import {
  buildDetectorGraph,
  buildParserGraph,
  buildRestorerGraph,
} from '../../../../app/architectures/faces/face-graphs.ts';
import { buildImageGraph } from '../../../../app/architectures/image-graph.ts';
import type { RecognisedNetwork } from '../../../../app/architectures/registry.ts';
import { recognise } from '../../../../app/architectures/registry.ts';
import { buildTensorGraph } from '../../../../app/architectures/tensor-graph.ts';
import { HiresFixError } from '../../../../app/errors.ts';
import { readManifest } from '../../../support/checkpoints/hashed-weights.ts';
import { manifestShapes, shapeDict } from '../../../support/checkpoints/shape-dict.ts';

type Shape = readonly [number, number, number, number];

const NETWORKS: readonly { readonly manifest: string; readonly input: Shape }[] = [
  { manifest: 'detection_Resnet50_Final', input: [1, 3, 47, 33] },
  { manifest: 'parsing_parsenet', input: [1, 3, 48, 64] },
  { manifest: 'GFPGANv1.4', input: [1, 3, 512, 512] },
  { manifest: 'codeformer', input: [1, 3, 512, 512] },
  { manifest: 'RestoreFormer', input: [1, 3, 512, 512] },
];

/** The official file's tensors, as they are named after opening: without `module.`. */
function shapesOf(manifest: string): Map<string, readonly number[]> {
  return new Map([...manifestShapes(manifest)].map(([name, shape]) => [name.replace(/^module\./, ''), shape]));
}

function networkOf(manifest: string): RecognisedNetwork {
  return recognise(shapeDict(shapesOf(manifest)));
}

/** Keys that detection needs; a file without one holds no network that is known. */
const DETECTED_BY: ReadonlySet<string> = new Set([
  'fpn.output1.0.weight',
  'encoder.0.conv2d.weight',
  'out_mask_conv.conv2d.weight',
  'conv_body_first.weight',
  'position_emb',
  'idx_pred_layer.1.weight',
  'quantize.embedding.weight',
  'quant_conv.weight',
  'encoder.conv_in.weight',
]);

function refusal(build: () => unknown): string {
  try {
    build();
    return '';
  } catch (error) {
    return error instanceof HiresFixError ? error.message : '';
  }
}

describe.each(NETWORKS)('$manifest', ({ manifest, input }) => {
  it('is recognised by its keys, with its parameters', () => {
    const { expected } = readManifest(manifest);
    const { architecture, scale, inputChannels, outputChannels, parameters } = networkOf(manifest);
    expect(architecture).toBe(expected['architecture']);
    expect([scale, inputChannels, outputChannels]).toEqual([
      expected['scale'],
      expected['input_channels'],
      expected['output_channels'],
    ]);
    expect(parameters).toEqual(expected['parameters']);
    expect(Object.keys(parameters)).toEqual(Object.keys(expected['parameters'] as object));
  });

  it('takes every weight of the file', () => {
    expect(() => buildTensorGraph(networkOf(manifest), input)).not.toThrow();
  });

  it('refuses a file with a weight that it does not know, by name', () => {
    const network = recognise(shapeDict(shapesOf(manifest).set('body.extra.weight', [3])));
    expect(() => buildTensorGraph(network, input)).toThrow(/body\.extra\.weight/);
  });

  it('refuses a file in which any one weight is missing, by name', () => {
    // Of each kind of layer one: a whole CodeFormer has 515 tensors, and building it takes a while.
    const kinds = new Map([...shapesOf(manifest).keys()].map((name) => [name.replace(/\d+/g, '#'), name]));
    const unused = /num_batches_tracked|^toRGB|style_mlp|^encoder\..*attn.*\.norm2\./;
    const needed = [...kinds.values()].filter((name) => !unused.test(name));
    const accepted = needed.filter((name) => {
      const shapes = shapesOf(manifest);
      shapes.delete(name);
      return !refusal(() => buildTensorGraph(recognise(shapeDict(shapes)), input)).includes(name);
    });
    // What detection goes by: without it the network is not even known.
    expect(accepted.filter((name) => !DETECTED_BY.has(name))).toEqual([]);
  });

  it('cannot be taken for an upscaler', () => {
    const pixels = { width: 512, height: 512, channels: 3, depth: 8 } as const;
    expect(() => buildImageGraph(networkOf(manifest), pixels)).toThrow(UnknownNetworkError);
  });
});

describe('Variants of face networks', () => {
  it('has as many transformer layers and fused sizes as a CodeFormer file has', () => {
    const shapes = new Map(
      [...shapesOf('codeformer')].filter(([name]) => !/^(ft_layers\.[78]|fuse_convs_dict\.(32|256))\./.test(name)),
    );
    const network = recognise(shapeDict(shapes));
    expect(network.parameters).toMatchObject({ n_layers: 7, connect_list: ['64', '128'] });
    expect(() => buildTensorGraph(network, [1, 3, 512, 512])).not.toThrow();
  });

  it('has as many residual blocks as a ParseNet file has', () => {
    const shapes = new Map([...shapesOf('parsing_parsenet')].filter(([name]) => !/^body\.[4-9]\./.test(name)));
    const network = recognise(shapeDict(shapes));
    expect(network.parameters).toMatchObject({ res_depth: 4, in_size: 512 });
    expect(() => buildTensorGraph(network, [1, 3, 32, 32])).not.toThrow();
  });

  it('reads several faces at once', () => {
    for (const { manifest, input } of NETWORKS) {
      expect(() => buildTensorGraph(networkOf(manifest), [2, ...input.slice(1)] as unknown as Shape)).not.toThrow();
    }
  });
});

describe('Faces of another size', () => {
  it.each(['GFPGANv1.4', 'codeformer', 'RestoreFormer'])(
    'are refused by %s, with the size that it takes',
    (manifest) => {
      const build = (): unknown => buildTensorGraph(networkOf(manifest), [1, 3, 256, 512]);
      expect(build).toThrow(NetworkInputError);
      expect(build).toThrow(/512 x 512 pixels, not 512 x 256/);
    },
  );
});

describe('Graphs of a face step', () => {
  it('are made of the network that the step needs', () => {
    expect(() => buildDetectorGraph(networkOf('detection_Resnet50_Final'), 61, 40)).not.toThrow();
    expect(() => buildParserGraph(networkOf('parsing_parsenet'))).not.toThrow();
    for (const restorer of ['GFPGANv1.4', 'codeformer', 'RestoreFormer']) {
      expect(() => buildRestorerGraph(networkOf(restorer))).not.toThrow();
    }
  });

  it('say which network was found where another is needed', () => {
    expect(() => buildDetectorGraph(networkOf('GFPGANv1.4'), 61, 40)).toThrow(
      /expected a face detector, the file holds GFPGAN, a face-restorer/,
    );
    expect(() => buildRestorerGraph(networkOf('parsing_parsenet'))).toThrow(UnknownNetworkError);
    expect(() => buildParserGraph(networkOf('RealESRGAN_x4plus'))).toThrow(/ESRGAN, a network for whole pictures/);
  });
});
