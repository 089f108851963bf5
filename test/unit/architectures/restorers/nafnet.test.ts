import { describe, expect, it } from '@jest/globals';
import { nafnet, readNafnet } from '../../../../app/architectures/restorers/nafnet.ts';
import { recognise } from '../../../../app/architectures/registry.ts';
import { buildTensorGraph, tensorGraph } from '../../../../app/architectures/tensor-graph.ts';
import { WeightsError } from '../../../../app/onnx/errors.ts';
import { Graph } from '../../../../app/onnx/graph.ts';
import { Weights } from '../../../../app/onnx/weights.ts';
import { builds, manifestShapes, shapeDict } from '../../../support/checkpoints/shape-dict.ts';

interface Plan {
  readonly width: number;
  readonly encoders: readonly number[];
  readonly middle: number;
  readonly decoders: readonly number[];
  readonly channels?: number;
}

/** The tensors of a NAFNet of any size. */
function shapesOf({ width, encoders, middle, decoders, channels = 3 }: Plan): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  const conv = (name: string, weight: readonly number[]): void => {
    shapes.set(`${name}.weight`, weight).set(`${name}.bias`, [weight[0] ?? 0]);
  };
  const block = (name: string, c: number): void => {
    for (const scale of ['beta', 'gamma']) shapes.set(`${name}.${scale}`, [1, c, 1, 1]);
    for (const norm of ['norm1', 'norm2']) shapes.set(`${name}.${norm}.weight`, [c]).set(`${name}.${norm}.bias`, [c]);
    conv(`${name}.conv1`, [2 * c, c, 1, 1]);
    conv(`${name}.conv2`, [2 * c, 1, 3, 3]);
    conv(`${name}.conv3`, [c, c, 1, 1]);
    conv(`${name}.sca.1`, [c, c, 1, 1]);
    conv(`${name}.conv4`, [2 * c, c, 1, 1]);
    conv(`${name}.conv5`, [c, c, 1, 1]);
  };
  const blocks = (name: string, count: number, c: number): void => {
    for (let i = 0; i < count; i++) block(`${name}.${i}`, c);
  };
  const levels = encoders.length;
  conv('intro', [width, channels, 3, 3]);
  encoders.forEach((count, level) => {
    const c = width * 2 ** level;
    blocks(`encoders.${level}`, count, c);
    conv(`downs.${level}`, [2 * c, c, 2, 2]);
  });
  blocks('middle_blks', middle, width * 2 ** levels);
  decoders.forEach((count, i) => {
    const c = width * 2 ** (levels - 1 - i);
    shapes.set(`ups.${i}.0.weight`, [4 * c, 2 * c, 1, 1]);
    blocks(`decoders.${i}`, count, c);
  });
  conv('ending', [channels, width, 3, 3]);
  return shapes;
}

const PLANS: readonly Plan[] = [
  { width: 8, encoders: [1, 2], middle: 3, decoders: [2, 1] },
  { width: 16, encoders: [1, 1, 1, 1, 1], middle: 1, decoders: [1, 1, 1, 1, 1] },
  { width: 12, encoders: [0, 2, 0], middle: 0, decoders: [0, 0, 1] },
  { width: 4, encoders: [1], middle: 1, decoders: [1], channels: 1 },
];

describe('NAFNet', () => {
  it.each(PLANS)('recovers width $width, encoders $encoders, middle $middle, decoders $decoders', (plan) => {
    const network = recognise(shapeDict(shapesOf(plan)));
    expect(network.architecture).toBe('NAFNet');
    expect(network.parameters).toEqual({
      img_channel: plan.channels ?? 3,
      width: plan.width,
      middle_blk_num: plan.middle,
      enc_blk_nums: plan.encoders,
      dec_blk_nums: plan.decoders,
    });
    expect(network.multipleOf).toBe(2 ** plan.encoders.length);
  });

  it.each(PLANS)('uses every tensor at width $width, encoders $encoders', (plan) => {
    const network = recognise(shapeDict(shapesOf(plan)));
    expect(buildTensorGraph(network, [1, network.inputChannels, 13, 9]).length).toBeGreaterThan(1000);
  });

  it('cannot do without any of its tensors', () => {
    const plan: Plan = { width: 8, encoders: [1, 1], middle: 1, decoders: [1, 1] };
    const names = [...shapesOf(plan).keys()];
    const needless = names.filter((name) => {
      const shapes = shapesOf(plan);
      shapes.delete(name);
      return builds(shapes);
    });
    expect(names.length).toBeGreaterThan(80);
    expect(needless).toEqual([]);
  });

  it('says which tensor is missing', () => {
    const shapes = shapesOf({ width: 8, encoders: [1, 1], middle: 1, decoders: [1, 1] });
    shapes.delete('decoders.1.0.conv4.bias');
    const network = recognise(shapeDict(shapes));
    expect(() => buildTensorGraph(network, [1, 3, 8, 8])).toThrow(
      new WeightsError('decoders.1.0.conv4.bias: missing in shapes.pth'),
    );
  });

  it('says which tensor it has no use for', () => {
    const shapes = shapesOf({ width: 8, encoders: [1], middle: 1, decoders: [1] }).set('middle_blks.0.extra', [8]);
    const network = recognise(shapeDict(shapes));
    expect(() => buildTensorGraph(network, [1, 3, 8, 8])).toThrow(/does not use middle_blks\.0\.extra;/);
  });

  it('takes pictures of open size, but not with local pooling', () => {
    const weights = Weights.of(shapeDict(shapesOf({ width: 8, encoders: [1], middle: 1, decoders: [1] })));
    const build = (network: ReturnType<typeof nafnet.read>) =>
      network.build(new Graph().input('image', 'float32', [1, 3, null, null]), {});
    expect(build(nafnet.read(weights))).toMatchObject({ shape: [1, 3, null, null] });
    expect(() => build(readNafnet(weights, { localBaseSize: 384 }))).toThrow(/has no fixed size/);
  });

  it.each([
    { target: 'cpu', norms: 0, shuffles: 0 },
    { target: 'gpu', norms: 10, shuffles: 2 },
  ] as const)('has $norms norms and $shuffles shuffles of their own on a $target', ({ target, norms, shuffles }) => {
    const plan: Plan = { width: 16, encoders: [1, 1], middle: 1, decoders: [1, 1] };
    const { nodes } = tensorGraph(recognise(shapeDict(shapesOf(plan))), [1, 3, 16, 16], target).contents();
    const count = (op: string): number => nodes.filter((node) => node.op === op).length;
    expect([count('LayerNormalization'), count('DepthToSpace')]).toEqual([norms, shuffles]);
  });

  it('pools over the whole picture where the local window covers it, and so emits the same graph', () => {
    const size = [1, 3, 64, 48] as const;
    const graphOf = (localBaseSize?: number): Uint8Array => {
      const weights = Weights.of(shapeDict(manifestShapes('NAFNet-SIDD-width32')));
      const network = readNafnet(weights, localBaseSize === undefined ? {} : { localBaseSize });
      return buildTensorGraph({ ...network, architecture: 'NAFNet', weights, assertAllRead: () => undefined }, size);
    };
    expect(Buffer.from(graphOf(64)).equals(graphOf())).toBe(true);
    expect(Buffer.from(graphOf(48)).equals(graphOf())).toBe(false);
  });
});
