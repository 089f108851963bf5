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
import { writeHashedModel } from '../checkpoints/hashed-checkpoint.ts';
import { buildManifestTensors, readVariant } from '../checkpoints/hashed-weights.ts';
import { largestDifference } from '../networks/largest-difference.ts';
import { plainConvolutions } from './plain-convolutions.ts';
import { smallNetwork, writeSmallNetwork } from '../networks/small-networks.ts';

const MIN_SIDE = 16;

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
  const side = network.side ?? Math.max(MIN_SIDE, network.multipleOf);
  const dims = [1, network.inputChannels, side, side] as const;
  const plain = tensorGraph(network, dims).contents();
  const last = channelsLastGraph(plain);
  const forms = { scan: scanGraph(plain), last, both: scanGraph(last) };
  const run = (graph: ProtoGraph): Promise<Float32Array> => runPlainly(graph, dims, weightsFolderOf(file));
  const expected = await run(plain);
  const differences: Record<string, number> = {};
  for (const [form, graph] of Object.entries(forms)) {
    const isSame = graph === plain || (form === 'both' && graph === last);
    differences[form] = isSame ? 0 : largestDifference(await run(plainConvolutions(graph)), expected);
  }
  return {
    ...one,
    architecture: network.architecture,
    loops: forms.both.nodes.filter(({ op }) => op === 'Scan').length,
    nodes: [plain.nodes.length, forms.scan.nodes.length],
    convolutions: plain.nodes.filter(({ op }) => op === 'Conv').length,
    channelsLast: last.nodes.filter(({ domain }) => domain === INTERNAL_DOMAIN).length,
    differences: differences as FormsResult['differences'],
  };
}

function write(file: string, { name, from }: FormsCase): void {
  if (from === 'small') writeSmallNetwork(file, smallNetwork(name), 'pth-zip');
  else if (from === 'manifest') writeHashedModel(file, name);
  else {
    const { root, ...variant } = readVariant(name);
    writeCheckpoint(file, buildManifestTensors({ root, ...variant }), { format: 'pth-zip', root });
  }
}

async function runPlainly(graph: ProtoGraph, dims: readonly number[], weights: string): Promise<Float32Array> {
  const session = await InferenceSession.create(serializeModel(graph), {
    graphOptimizationLevel: 'disabled',
    logSeverityLevel: 4,
    extra: { session: { model_external_initializers_file_folder_path: weights } },
  });
  const data = Float32Array.from({ length: dims.reduce((a, b) => a * b) }, (_, i) => ((i * 2654435761) >>> 24) / 255);
  const feeds = session.inputNames.map((name): [string, Tensor] =>
    name === 'input'
      ? [name, new Tensor('float32', data, dims)]
      : [name, new Tensor('float32', Float32Array.of(0.5), [1])],
  );
  const outputs = await session.run(Object.fromEntries(feeds));
  await session.release();
  return outputs[session.outputNames[0] ?? '']?.data as Float32Array;
}
