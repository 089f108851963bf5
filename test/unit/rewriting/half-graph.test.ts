import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { buildImageGraph } from '../../../app/architectures/image-graph.ts';
import { recognise } from '../../../app/architectures/registry.ts';
import { openCheckpoint } from '../../../app/checkpoints/open-checkpoint.ts';
import type { DeclaredGraph } from '../../../app/onnx/graph.ts';
import type { ProtoNode } from '../../../app/onnx/model-proto.ts';
import { halfGraph } from '../../../app/rewriting/half-graph.ts';
import { ConstantValues } from '../../../app/rewriting/constant-values.ts';
import { writeCheckpoint } from '../../support/checkpoints/checkpoint-writer.ts';
import {
  buildManifestTensors,
  readManifest,
  readVariant,
  variantNames,
} from '../../support/checkpoints/hashed-weights.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const PICTURE = { width: 64, height: 64, channels: 3, depth: 8 } as const;

/** The operators of each region, without those that calculate of weights alone, and without the casts. */
function operatorsByRegion(graph: DeclaredGraph): string[] {
  const constants = new ConstantValues(graph);
  const isOwn = (node: ProtoNode) => !constants.isMadeBy(node) && node.op !== 'Cast';
  return graph.regions.map(({ kind, nodes }) =>
    [
      kind,
      ...graph.nodes
        .slice(...nodes)
        .filter(isOwn)
        .map(({ op }) => op),
    ].join(' '),
  );
}

const VARIANTS = variantNames().map((name) => [name, readVariant(name)] as const);

describe('halfGraph', () => {
  it.each([['spanx4_ch48', readManifest('spanx4_ch48')] as const, ...VARIANTS])(
    'calculates with weights alone in float32, which the CPU does before the first run: %s',
    async (_name, manifest) => {
      const folder = await temporaryFolder();
      const file = join(folder.path, 'network.pth');
      writeCheckpoint(file, buildManifestTensors(manifest), { format: 'pth-zip', root: manifest.root });
      const graph = buildImageGraph(recognise(openCheckpoint(file)), PICTURE, 'gpu');
      await folder.remove();
      const half = halfGraph(graph);
      const constants = new ConstantValues(half);
      const inHalf = half.nodes.filter(
        (node) => constants.isMadeBy(node) && half.wires.get(node.outputs[0] ?? '')?.type === 'float16',
      );
      expect(inHalf.filter(({ op }) => op !== 'Cast')).toEqual([]);
      expect(operatorsByRegion(half)).toEqual(operatorsByRegion(graph.contents()));
    },
  );
});
