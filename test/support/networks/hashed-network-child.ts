/**
 * A process of its own for networks of full size: onnxruntime does not run inside Jest, and the memory comes back. Makes the
 * checkpoint of a manifest, feeds it the inputs, removes it, and prints what `models inspect` would show of it.
 */
import { nafnet, readNafnet } from '../../../app/architectures/restorers/nafnet.ts';
import { recognise } from '../../../app/architectures/registry.ts';
import { buildTensorGraph } from '../../../app/architectures/tensor-graph.ts';
import { openCheckpoint } from '../../../app/checkpoints/open-checkpoint.ts';
import { readTensor } from '../../../app/checkpoints/read-tensor.ts';
import { writeSafetensors } from '../../../app/checkpoints/safetensors-writer.ts';
import { Session, weightsFolderOf } from '../../../app/inference/session.ts';
import { Weights } from '../../../app/onnx/weights.ts';
import { runNetwork } from '../../../app/processing/networks/run-network.ts';
import { createHashedCheckpoint } from '../checkpoints/hashed-checkpoint.ts';
import type { NetworkJob, NetworkRun, SeenNetwork } from './run-hashed-network.ts';

const job = JSON.parse(process.argv[2] ?? '') as NetworkJob;
const checkpoint = createHashedCheckpoint(job.manifest);
try {
  for (const run of job.runs) await perform(run);
  const { architecture, parameters, scale, inputChannels, outputChannels } = recognise(openCheckpoint(checkpoint.file));
  const seen: SeenNetwork = { architecture, parameters, scale, inputChannels, outputChannels };
  process.stdout.write(JSON.stringify(seen));
} finally {
  checkpoint.remove();
}

async function perform(run: NetworkRun): Promise<void> {
  const { input, output, localBaseSize, target } = run;
  if (localBaseSize === undefined && target === undefined) {
    await runNetwork({ checkpoint: checkpoint.file, input, output }, 'cpu');
  } else await runNafnet(run);
}

/** NAFNet with local pooling, which is asked for and not read from a file, or built for another target. */
async function runNafnet({ input, output, localBaseSize, target }: NetworkRun): Promise<void> {
  const weights = Weights.of(openCheckpoint(checkpoint.file));
  const network = readNafnet(weights, localBaseSize === undefined ? {} : { localBaseSize });
  const inputs = openCheckpoint(input);
  const dims = inputs.tensors.get('input')?.shape as [number, number, number, number];
  const assertAllRead = (): void => weights.assertAllRead();
  const model = buildTensorGraph({ ...network, architecture: nafnet.name, weights, assertAllRead }, dims, target);
  const session = await Session.open(model, { weightsFolder: weightsFolderOf(checkpoint.file), device: 'cpu' });
  const answers = await session.run({ input: { type: 'float32', data: readTensor(inputs, 'input'), dims } });
  const answer = answers['output'];
  if (!answer) throw new Error('the network gave no output');
  writeSafetensors(output, new Map([['output', { shape: answer.dims, dtype: 'float32', data: answer.data }]]));
}
