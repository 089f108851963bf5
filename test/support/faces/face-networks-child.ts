/**
 * Run by tests with a FaceNetworkJob as its argument: onnxruntime-node does not run inside Jest, and half a gigabyte of weights
 * is built faster outside.
 */
import { readFileSync } from 'node:fs';
import { buildRestorerGraph, toPixels } from '../../../app/architectures/faces/face-graphs.ts';
import { recognise } from '../../../app/architectures/registry.ts';
import { openCheckpoint } from '../../../app/checkpoints/open-checkpoint.ts';
import { writeSafetensors } from '../../../app/checkpoints/safetensors-writer.ts';
import type { Tensor } from '../../../app/inference/session.ts';
import { Session } from '../../../app/inference/session.ts';
import { Graph } from '../../../app/onnx/graph.ts';
import { runNetwork } from '../../../app/processing/networks/run-network.ts';
import type { FaceNetworkJob } from './face-networks.ts';
import type { HashedCheckpoint } from '../checkpoints/hashed-checkpoint.ts';
import { createHashedCheckpoint } from '../checkpoints/hashed-checkpoint.ts';
import { readPng } from '../images/png.ts';

const job = JSON.parse(process.argv[2] ?? '') as FaceNetworkJob;
if ('values' in job) await convert(job.values, job.output);
else await withCheckpoint(job.manifest);

async function withCheckpoint(manifest: string): Promise<void> {
  const checkpoint = createHashedCheckpoint(manifest);
  try {
    if ('values' in job) return;
    for (const files of job.runs) await runNetwork({ checkpoint: checkpoint.file, ...files }, 'cpu');
    if (job.picture) await restore(checkpoint, job.picture);
  } finally {
    checkpoint.remove();
  }
}

/** An aligned face through the graph that the service uses, pixels to pixels. */
async function restore({ file, folder }: HashedCheckpoint, picture: { input: string; output: string }): Promise<void> {
  const { data, width, height } = readPng(readFileSync(picture.input));
  const network = recognise(openCheckpoint(file));
  const session = await Session.open(buildRestorerGraph(network).serialize(), { weightsFolder: folder, device: 'cpu' });
  const scalars = Object.entries(network.scalars ?? {}).map(([name, preset]): [string, Tensor] => {
    return [name, { type: 'float32', data: Float32Array.of(preset), dims: [1] }];
  });
  const pixels: Tensor = { type: 'uint8', data, dims: [height, width, 3] };
  save(picture.output, await session.run({ pixels, ...Object.fromEntries(scalars) }));
}

/** A row of values through what makes pixels of a network's answer. */
async function convert(values: readonly number[], output: string): Promise<void> {
  const graph = new Graph();
  const dims = [1, 3, 1, values.length];
  graph.output('pixels_out', toPixels(graph.input('face', 'float32', dims)));
  const session = await Session.open(graph.serialize(), { weightsFolder: '.', device: 'cpu' });
  const face: Tensor = { type: 'float32', data: Float32Array.from([values, values, values].flat()), dims };
  save(output, await session.run({ face }));
}

function save(file: string, { pixels_out: pixels }: Readonly<Record<string, Tensor>>): void {
  if (!pixels) throw new Error('no pixels came out');
  writeSafetensors(file, new Map([['pixels', { shape: pixels.dims, dtype: 'uint8', data: pixels.data }]]));
}
