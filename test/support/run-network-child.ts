/**
 * Forked by tests (network-process.ts): onnxruntime-node does not run inside Jest's sandbox. Takes tasks one by one and answers
 * each.
 */
import { readFileSync } from 'node:fs';
import { buildTensorGraph } from '../../app/architectures/tensor-graph.ts';
import { recognise } from '../../app/architectures/registry.ts';
import { openCheckpoint } from '../../app/checkpoints/open-checkpoint.ts';
import { readTensor } from '../../app/checkpoints/read-tensor.ts';
import { writeSafetensors } from '../../app/checkpoints/safetensors-writer.ts';
import { HiresFixError } from '../../app/errors.ts';
import { rowsOf } from '../../app/imaging/rows.ts';
import { Session, weightsFolderOf } from '../../app/inference/session.ts';
import { blendedValues } from '../../app/processing/blended-weights.ts';
import { RealESRGANUpscaler } from '../../app/processing/real-esrgan-upscaler.ts';
import { runNetwork } from '../../app/processing/run-network.ts';
import type { BlendTask, ChildReply, ChildTask, TiledUpscale, UpscaleTask } from './network-process.ts';

process.on('message', (task) => void answer(task as ChildTask));
process.once('disconnect', () => process.exit(0));
process.send?.('ready');

async function answer(task: ChildTask): Promise<void> {
  process.send?.(await replyTo(task));
}

async function replyTo(task: ChildTask): Promise<ChildReply> {
  try {
    if (task.kind === 'upscale') return { upscaled: await upscale(task) };
    if (task.kind === 'run-network') await runNetwork(task, 'cpu');
    else await runBlended(task);
    return {};
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const code = error instanceof HiresFixError ? error.code : undefined;
    return { error: { name: error.name, message: error.message, stack: error.stack, code } };
  }
}

/** As `models run` would, were there a flag for a second checkpoint. */
async function runBlended({ checkpoint, blend, input, output }: BlendTask): Promise<void> {
  const dict = openCheckpoint(checkpoint);
  const network = recognise(dict, blendedValues(dict, openCheckpoint(blend.file), blend.strength));
  const inputs = openCheckpoint(input);
  const dims = inputs.tensors.get('input')?.shape as [number, number, number, number];
  const model = buildTensorGraph(network, dims);
  const session = await Session.open(model, { weightsFolder: weightsFolderOf(checkpoint), device: 'cpu' });
  const outputs = await session.run({ input: { type: 'float32', data: readTensor(inputs, 'input'), dims } });
  await session.release();
  const result = outputs['output'];
  if (result)
    writeSafetensors(output, new Map([['output', { shape: result.dims, dtype: 'float32', data: result.data }]]));
}

/** Images of one task share a session, as those of a batch do. */
async function upscale({ files, jobs, folder }: UpscaleTask): Promise<readonly TiledUpscale[]> {
  const upscaler = await RealESRGANUpscaler.open(files, { devices: ['cpu'], isBatch: jobs.length > 1 });
  const results: TiledUpscale[] = [];
  for (const { image, tiling } of jobs) {
    const told: number[] = [];
    const { image: scratch, used } = await upscaler.upscale(rowsOf(image), folder, tiling, (done) => told.push(done));
    const { width, height, channels, depth, rowsWritten } = scratch;
    const data = scratch.readRows(0, rowsWritten).slice();
    // 64 bytes of header, then rows: the file that sharp maps must hold just what was written.
    const bytes = readFileSync(scratch.file).length - 64;
    scratch.dispose();
    results.push({ image: { width, height, channels, depth, data }, used, told, rowsWritten, bytes });
  }
  await upscaler.close();
  return results;
}
