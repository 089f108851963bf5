import { describe, expect, it } from '@jest/globals';
import { buildImageGraph } from '../../../app/architectures/image-graph.ts';
import { recognise } from '../../../app/architectures/registry.ts';
import type { Setting } from '../../../app/checkpoints/settings.ts';
import type { Shapes } from '../../support/checkpoints/shape-dict.ts';
import { manifestShapes, shapeDict } from '../../support/checkpoints/shape-dict.ts';
import { refusalOf } from '../../support/refusal-of.ts';

const COMPACT: Shapes = new Map([
  ['body.0.weight', [4, 3, 3, 3]],
  ['body.0.bias', [4]],
  ['body.1.weight', [4]],
  ['body.2.weight', [12, 4, 3, 3]],
  ['body.2.bias', [12]],
]);
const WITHOUT_SLOPES: Shapes = new Map([...COMPACT].filter(([name]) => name !== 'body.1.weight'));

function recognised(shapes: Shapes, settings: Readonly<Record<string, Setting>>) {
  return recognise({ ...shapeDict(shapes), settings: new Map(Object.entries(settings)) });
}

describe('A network of which the keys do not tell all', () => {
  it.each(['relu', 'leakyrelu', 'LeakyReLU'])('has the activation that its metadata says: %s', (act) => {
    const network = recognised(WITHOUT_SLOPES, { act_type: act });
    expect(network.parameters['act_type']).toBe(act.toLowerCase());
    buildImageGraph(network, { width: 24, height: 24, channels: 3, depth: 8 });
  });

  it.each([{}, { act_type: 'gelu' }, { act_type: 'prelu' }, { learn_residual: true }])(
    'is refused in words where nothing says what stands between its convolutions: %j',
    (settings) => {
      const { message } = refusalOf(() => recognised(WITHOUT_SLOPES, settings));
      expect(message).toMatch(
        /^shapes\.pth: a Compact whose activations have no weights: they are ReLU or LeakyReLU, and nothing in the file says which\. It runs where .* act_type/,
      );
    },
  );

  it('is told which layer it lacks where only one is missing', () => {
    const shapes = new Map([...COMPACT, ['body.4.weight', [12, 12, 3, 3]], ['body.4.bias', [12]]] as const);
    expect(refusalOf(() => recognised(shapes, {})).message).toBe('body.3.weight: missing in shapes.pth');
  });

  it.each<[string, Shapes, Record<string, Setting>]>([
    ["act_type is 'relu'; Compact is run with 'prelu' only", COMPACT, { act_type: 'relu' }],
    ["act is 'relu'; ESRGAN is run with 'leakyrelu' only", manifestShapes('ESRGAN_1x_old_arch'), { act: 'relu' }],
    [
      "upsampler is 'nearest'; ESRGAN is run with 'upconv' only",
      manifestShapes('RealESRGAN_x4plus'),
      { upsampler: 'nearest' },
    ],
  ])('is refused where its metadata says that %s', (words, shapes, settings) => {
    expect(refusalOf(() => recognised(shapes, settings)).message).toBe(`shapes.pth: its own metadata says ${words}`);
  });

  it.each<[string, Record<string, Setting>]>([
    [
      'RealESRGAN_x4plus',
      { in_nc: 3, num_blocks: 6, scale: 4, shuffle_factor: null, act: 'leakyrelu', title: 'x', norm: null },
    ],
    ['realesr-animevideov3', { num_feat: 64, act_type: 'PReLU', learn_residual: true }],
  ])('takes what %s says of itself', (manifest, settings) => {
    expect(() => recognised(manifestShapes(manifest), settings)).not.toThrow();
  });
});
