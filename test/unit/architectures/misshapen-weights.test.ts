import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { ARCHITECTURES, recognise } from '../../../app/architectures/registry.ts';
import { buildTensorGraph } from '../../../app/architectures/tensor-graph.ts';
import { HiresFixError } from '../../../app/errors.ts';
import { Weights } from '../../../app/onnx/weights.ts';
import type { Manifest } from '../../support/checkpoints/hashed-weights.ts';
import { readManifest, readVariant } from '../../support/checkpoints/hashed-weights.ts';
import type { Shapes } from '../../support/checkpoints/shape-dict.ts';
import { shapeDict } from '../../support/checkpoints/shape-dict.ts';

const MANIFESTS = readdirSync(fileURLToPath(new URL('../../fixtures/manifests', import.meta.url)))
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.replace('.json', ''));

/** A small network of each family that has one. */
const VARIANTS = [
  'atd-no-bias',
  'craft-identity',
  'dncnn-batch-norm',
  'drct-identity',
  'drunet-averages',
  'fdat-pixelshuffle-x3',
  'grl-convolutions',
  'hat-w8',
  'moesr-nearest-x3',
  'mosr-dysample',
  'omnisr-w4',
  'plksr-sparse',
  'realcugan-x3',
  'realplksr-layer-norm',
  'restormer-biases',
  'rgt-no-bias',
  'seemore-linear',
  'srformer-no-bias',
  'swin2sr-w7',
  'swinir-gray',
];

/** The smallest file of families without one. */
const OTHERS = ['SAFMN_x4', 'SwiftSRGAN_x4', 'DITN_x4', 'RCAN_x4', 'FBCNN_color', 'spanx4_ch48', 'compact_x2_ultra'];

const NETWORKS: readonly (readonly [name: string, manifest: Manifest])[] = [
  ...VARIANTS.map((name) => [name, readVariant(name)] as const),
  ...OTHERS.map((name) => [name, readManifest(name)] as const),
];

/** Of another size these make another network, or nothing is calculated from them. */
const OF_ANOTHER_NETWORK =
  /num_batches_tracked$|attn_mask|position_index|coords_table|\.eval_conv\.|MetaUpsample$|^no_norm$|^(table|index|mask)_(w|s)|temperature$|bias_table$|\.inter\.[sc]g\.|^m_tail\.|^convblock\.act\./;

/** The first of two that belong together: the refusal names the other. */
const OF_A_PAIR = /attn_atd\.(wv\.weight|scale)$|\.n1\.weight$|gate\.1\.weight$|logit_scale$|rpe_biases$/;

function shapesOf({ tensors }: Manifest): Map<string, readonly number[]> {
  return new Map(tensors.map(({ name, shape }) => [name.replace(/^module\./, ''), shape]));
}

/** What is said of such a file; undefined where it makes a network. Errors that are not ours are thrown on. */
function refusalOfShapes(shapes: Shapes, { tensors }: Manifest): string | undefined {
  const told = new Map(tensors.flatMap((row) => ('values' in row ? [[row.name, row.values] as const] : [])));
  try {
    const network = recognise(shapeDict(shapes), (name) => {
      const values = told.get(name);
      return values && Float32Array.from(values);
    });
    const side = network.side ?? Math.max(64, 2 * network.multipleOf);
    buildTensorGraph(network, [1, network.inputChannels, side, side]);
    return undefined;
  } catch (error) {
    if (error instanceof HiresFixError) return error.message;
    throw error;
  }
}

/** Of tensors whose names differ in nothing but numbers the first. */
function firstOfEachKind(names: readonly string[]): string[] {
  return [...new Map(names.toReversed().map((name) => [name.replaceAll(/\d+/g, '#'), name])).values()];
}

describe('A weight of another shape', () => {
  it.each(NETWORKS)('is named where the file is %s', (_name, manifest) => {
    const shapes = shapesOf(manifest);
    const weights = firstOfEachKind([...shapes.keys()].filter((name) => !OF_ANOTHER_NETWORK.test(name)));
    expect(weights.length).toBeGreaterThan(0);
    const unnamed = weights.flatMap((name, index) => {
      const shape = shapes.get(name) ?? [];
      const axis = index % 2 === 0 ? 0 : shape.length - 1;
      const other = shape.with(axis, (shape[axis] ?? 0) + 1);
      const refusal = refusalOfShapes(new Map(shapes).set(name, other), manifest);
      const isTold = OF_A_PAIR.test(name) ? refusal !== undefined : refusal?.includes(name);
      return isTold ? [] : [`${name} [${shape.join()}] as [${other.join()}]: ${refusal ?? 'runs'}`];
    });
    expect(unnamed).toEqual([]);
  });
});

describe('A table of positions that belong to no square window', () => {
  it.each([
    ['atd-no-bias', 'layers.0.residual_group.layers.0.attn_win.relative_position_bias_table'],
    ['drct-identity', 'layers.0.swin1.attn.relative_position_bias_table'],
    ['hat-w8', 'layers.0.residual_group.blocks.0.attn.relative_position_bias_table'],
    ['hat-w8', 'layers.0.residual_group.overlap_attn.relative_position_bias_table'],
    ['omnisr-w4', 'rel_pos_bias.weight'],
    ['swin2sr-w7', 'layers.0.residual_group.blocks.0.attn.relative_position_index'],
    ['swinir-gray', 'layers.0.residual_group.blocks.0.attn.relative_position_index'],
  ])('is told where the file is %s, with its rows', (variant, table) => {
    const manifest = readVariant(variant);
    const shapes = shapesOf(manifest);
    for (const [name, shape] of shapes) if (name.endsWith(table)) shapes.set(name, shape.with(0, 203));
    expect(refusalOfShapes(shapes, manifest)).toContain(`203 rows in ${table}, which belong to no square window`);
  });
});

describe('The detectors', () => {
  it.each(MANIFESTS)('claim %s for its own family alone', (name) => {
    const manifest = readManifest(name);
    const weights = Weights.of(shapeDict(shapesOf(manifest)));
    const claimed = ARCHITECTURES.filter((architecture) => architecture.detect(weights));
    expect(claimed.map((architecture) => architecture.name)).toEqual([manifest.architecture]);
  });
});
