/**
 * A process of its own, since onnxruntime does not run inside Jest: runs networks in each form that GPUs get, on the CPU and with
 * nothing optimised, so that the same operators calculate the same bits; and prints how far each is from the plain form.
 */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { tensorGraph } from '../../../app/architectures/tensor-graph.ts';
import { recognise } from '../../../app/architectures/registry.ts';
import { openCheckpoint } from '../../../app/checkpoints/open-checkpoint.ts';
import { weightsFolderOf } from '../../../app/inference/session.ts';
import type { ProtoGraph } from '../../../app/onnx/model-proto.ts';
import { serializeModel } from '../../../app/onnx/model-proto.ts';
import { channelsLastGraph } from '../../../app/rewriting/channels-last.ts';
import { INTERNAL_DOMAIN } from '../../../app/rewriting/channels-last-operators.ts';
import { scanGraph } from '../../../app/rewriting/scan-graph.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { writeCheckpoint } from '../checkpoints/checkpoint-writer.ts';
import type { FormsCase, FormsResult } from './graph-forms.ts';
import { blocksInLoops, everyNode, whyNotLast } from './graph-forms-account.ts';
import { writeHashedModel } from '../checkpoints/hashed-checkpoint.ts';
import type { Manifest } from '../checkpoints/hashed-weights.ts';
import { buildManifestTensors, narrowed, readManifest, readVariant } from '../checkpoints/hashed-weights.ts';
import { largestDifference } from '../networks/largest-difference.ts';
import { plainConvolutions } from './plain-convolutions.ts';
import { smallNetwork, writeSmallNetwork } from '../networks/small-networks.ts';

const MIN_SIDE = 16;

/** Halved five times it is to be mirrored still. */
const MIN_FACE_SIDE = 64;

const cases = JSON.parse(process.argv[2] ?? '[]') as readonly FormsCase[];
const folder = await temporaryFolder();
try {
  for (const one of cases) process.stdout.write(`${JSON.stringify(await compared(one))}\n`);
} finally {
  await folder.remove();
}

async function compared(one: FormsCase): Promise<FormsResult> {
  const file = `${folder.path}/network.pth`;
  write(file, one);
  const network = recognise(openCheckpoint(file));
  const leastSide = network.role === undefined ? MIN_SIDE : MIN_FACE_SIDE;
  const side = network.side ?? Math.max(leastSide, network.multipleOf);
  const dims = [1, network.inputChannels, side, side] as const;
  const plain = tensorGraph(network, dims, 'gpu').contents();
  const last = channelsLastGraph(plain);
  const forms = { scan: scanGraph(plain), last, both: scanGraph(last) };
  const run = (graph: ProtoGraph): Promise<Float32Array> => runPlainly(graph, dims, weightsFolderOf(file));
  const expected = await run(plain);
  const differences: Record<string, number> = {};
  for (const [form, graph] of Object.entries(forms)) {
    const isSame = graph === plain || (form === 'both' && graph === last);
    differences[form] = isSame ? 0 : largestDifference(await run(plainConvolutions(graph)), expected);
  }
  const nodes = everyNode(forms.both.nodes);
  const loops = forms.both.nodes.filter(({ op }) => op === 'Scan').length;
  return {
    ...one,
    architecture: network.architecture,
    loops,
    innerLoops: nodes.filter(({ op }) => op === 'Scan').length - loops,
    blocks: blocksInLoops(plain),
    nodes: [plain.nodes.length, forms.scan.nodes.length],
    prepared: nodes.filter(({ op }) => op === 'Conv').length,
    convolutions: plain.nodes.filter(({ op }) => op === 'Conv').length,
    channelsLast: last.nodes.filter(({ domain }) => domain === INTERNAL_DOMAIN).length,
    whyNotLast: whyNotLast(plain),
    differences: differences as FormsResult['differences'],
  };
}

function write(file: string, { name, from }: FormsCase): void {
  if (from === 'small') writeSmallNetwork(file, smallNetwork(name), 'pth-zip');
  else if (from === 'manifest') writeHashedModel(file, name);
  else if (from === 'narrow') writeManifest(file, narrowed(readManifest(name)));
  else writeManifest(file, readVariant(name));
}

function writeManifest(file: string, manifest: Manifest): void {
  writeCheckpoint(file, buildManifestTensors(manifest), { format: 'pth-zip', root: manifest.root });
}

async function runPlainly(graph: ProtoGraph, dims: readonly number[], weights: string): Promise<Float32Array> {
  const session = await InferenceSession.create(serializeModel(graph), {
    graphOptimizationLevel: 'disabled',
    logSeverityLevel: 4,
    // Weights that are packed beforehand, as a loop's are not, are added up in another order.
    extra: { session: { disable_prepacking: '1', model_external_initializers_file_folder_path: weights } },
  });
  const data = Float32Array.from({ length: dims.reduce((a, b) => a * b) }, (_, i) => ((i * 2654435761) >>> 24) / 255);
  const feeds = session.inputNames.map((name): [string, Tensor] =>
    name === 'input'
      ? [name, new Tensor('float32', data, dims)]
      : [name, new Tensor('float32', Float32Array.of(0.5), [1])],
  );
  const outputs = await session.run(Object.fromEntries(feeds));
  await session.release();
  const numbers = Object.values(outputs).flatMap(({ data: one }) => (one instanceof Float32Array ? [one] : []));
  return Float32Array.from(numbers.flatMap((one) => [...one]));
}
