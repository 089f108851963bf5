/**
 * Forked by tests (network-process.ts): onnxruntime-node does not run inside Jest's sandbox. Takes tasks one by one and answers
 * each.
 */
import { readFileSync } from 'node:fs';
import { buildImageGraph } from '../../../app/architectures/image-graph.ts';
import { buildTensorGraph, tensorGraph } from '../../../app/architectures/tensor-graph.ts';
import { recognise } from '../../../app/architectures/registry.ts';
import { openCheckpoint } from '../../../app/checkpoints/open-checkpoint.ts';
import type { TensorData } from '../../../app/checkpoints/safetensors-writer.ts';
import { readTensor } from '../../../app/checkpoints/read-tensor.ts';
import { writeSafetensors } from '../../../app/checkpoints/safetensors-writer.ts';
import { HiresFixError } from '../../../app/errors.ts';
import { rowsOf } from '../../../app/imaging/rows.ts';
import { Session, weightsFolderOf } from '../../../app/inference/session.ts';
import type { Graph } from '../../../app/onnx/graph.ts';
import { serializeModel } from '../../../app/onnx/model-proto.ts';
import { blendedValues } from '../../../app/processing/networks/blended-weights.ts';
import type { PrecisionPlan } from '../../../app/processing/networks/precision.ts';
import { RealESRGANUpscaler } from '../../../app/processing/upscale/real-esrgan-upscaler.ts';
import { runNetwork } from '../../../app/processing/networks/run-network.ts';
import { halfGraph } from '../../../app/rewriting/half-graph.ts';
import { int8Graph } from '../../../app/quantization/int8-graph.ts';
import type { Int8Numbers } from '../../../app/quantization/int8-numbers.ts';
import { measuredForm } from '../forms/measured-form.ts';
import { int8NumbersOf, unroundedNumbersOf } from '../forms/int8-numbers.ts';
import type {
  BlendTask,
  ChildReply,
  ChildTask,
  HalfTask,
  TiledUpscale,
  UnroundedTask,
  UpscaleTask,
} from './network-process.ts';
import { withoutRounding } from '../forms/without-rounding.ts';

process.on('message', (task) => void answer(task as ChildTask));
process.once('disconnect', () => process.exit(0));
process.send?.('ready');

async function answer(task: ChildTask): Promise<void> {
  process.send?.(await replyTo(task));
}

async function replyTo(task: ChildTask): Promise<ChildReply> {
  try {
    if (task.kind === 'upscale') return { upscaled: await upscale(task) };
    if (task.kind === 'measure-int8') return { fidelity: await measuredForm(task.checkpoint, task.damage) };
    if (task.kind === 'run-network') await runNetwork(task, 'cpu');
    else if (task.kind === 'run-unrounded') await runUnrounded(task);
    else if (task.kind === 'run-half') await runHalf(task);
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

/** The int8 graph as it is, but for its operators, which are replaced by what they stand for. */
async function runUnrounded({ checkpoint, input, output }: UnroundedTask): Promise<void> {
  const dict = openCheckpoint(checkpoint);
  const inputs = openCheckpoint(input);
  const dims = inputs.tensors.get('input')?.shape as [number, number, number, number];
  const numbers = await unroundedNumbersOf(checkpoint);
  const model = serializeModel(withoutRounding(int8Graph(tensorGraph(recognise(dict), dims), numbers)));
  const session = await Session.open(model, { weightsFolder: weightsFolderOf(checkpoint), device: 'cpu' });
  const outputs = await session.run({ input: { type: 'float32', data: readTensor(inputs, 'input'), dims } });
  await session.release();
  const result = outputs['output'];
  if (result)
    writeSafetensors(output, new Map([['output', { shape: result.dims, dtype: 'float32', data: result.data }]]));
}

async function runHalf({ checkpoint, image, output }: HalfTask): Promise<void> {
  const { width, height, channels, data } = image;
  const graph = (): Graph => buildImageGraph(recognise(openCheckpoint(checkpoint)), image);
  const models = { float32: graph().serialize(), float16: serializeModel(halfGraph(graph())) };
  const results = new Map<string, TensorData>();
  for (const [name, model] of Object.entries(models)) {
    const session = await Session.open(model, { weightsFolder: weightsFolderOf(checkpoint), device: 'cpu' });
    const { pixels_out: pixels } = await session.run({
      pixels: { type: 'uint8', data, dims: [height, width, channels] },
    });
    await session.release();
    if (pixels) results.set(name, { shape: pixels.dims, dtype: 'uint8', data: pixels.data });
  }
  writeSafetensors(output, results);
}

const calibrated = new Map<string, Promise<Int8Numbers>>();

/** As a calibration lies beside its checkpoint. */
function calibratedOnce(file: string): Promise<Int8Numbers> {
  const numbers = calibrated.get(file) ?? int8NumbersOf(file);
  calibrated.set(file, numbers);
  return numbers;
}

async function int8Of(file: string, parts: 'whole' | 'trunk'): Promise<Int8Numbers> {
  const numbers = await calibratedOnce(file);
  return parts === 'whole' ? numbers : { ...numbers, head: undefined };
}

/** Images of one task share a session, as those of a batch do. */
async function upscale({ files, jobs, folder, int8, isHalf }: UpscaleTask): Promise<readonly TiledUpscale[]> {
  const choosePrecision = async (): Promise<PrecisionPlan> =>
    int8
      ? { asked: 'int8', int8: await int8Of(files.file, int8) }
      : isHalf
        ? { asked: 'fp16', isHalfOnCpu: true }
        : { asked: 'fp32' };
  const isBatch = jobs.length > 1;
  const upscaler = await RealESRGANUpscaler.open(files, { devices: ['cpu'], isBatch, choosePrecision });
  const results: TiledUpscale[] = [];
  for (const { image, tiling } of jobs) {
    const told: number[] = [];
    const { image: scratch, used } = await upscaler.upscale(rowsOf(image), folder, tiling, (done) => told.push(done));
    const { width, height, channels, depth } = scratch;
    const data = scratch.readRows(0, height).slice();
    // 64 bytes of header, then rows: the file that sharp maps must hold just what was written.
    const bytes = readFileSync(scratch.file).length - 64;
    scratch.dispose();
    results.push({ image: { width, height, channels, depth, data }, used, told, bytes });
  }
  await upscaler.close();
  return results;
}
