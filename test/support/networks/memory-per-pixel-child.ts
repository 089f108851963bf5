/**
 * Run with a MemoryJob as its argument, a process for each: what a network's run on a picture of one size takes above the loaded network.
 * The peak is begun anew before the run (`/proc/self/clear_refs`), as loading a network takes more than it keeps. Linux only.
 */
import { writeFileSync } from 'node:fs';
import { recognise } from '../../../app/architectures/registry.ts';
import { buildTensorGraph } from '../../../app/architectures/tensor-graph.ts';
import { openCheckpoint } from '../../../app/checkpoints/open-checkpoint.ts';
import type { Tensor } from '../../../app/inference/session.ts';
import { Session, weightsFolderOf } from '../../../app/inference/session.ts';
import { peakMemory } from '../peak-memory.ts';
import { residentMemory } from '../resident-memory.ts';

export interface MemoryJob {
  readonly file: string;
  readonly side: number;
}

export interface MemorySeen {
  readonly architecture: string;
  /** What the architecture's file says, by which tiles are sized. */
  readonly stated: number;
  /** What the run took, in bytes. */
  readonly bytes: number;
}

const { file, side } = JSON.parse(process.argv[2] ?? '') as MemoryJob;
const network = recognise(openCheckpoint(file));
const dims = [1, network.inputChannels, side, side] as const;
const graph = buildTensorGraph(network, dims);
const session = await Session.open(graph, { weightsFolder: weightsFolderOf(file), device: 'cpu' });
const data = Float32Array.from({ length: network.inputChannels * side ** 2 }, (_, i) => ((i * 37) % 101) / 101);
const scalars = Object.fromEntries(
  Object.entries(network.scalars ?? {}).map(([name, preset]): [string, Tensor] => {
    return [name, { type: 'float32', data: Float32Array.of(preset), dims: [1] }];
  }),
);
writeFileSync('/proc/self/clear_refs', '5');
const before = residentMemory(process.pid);
await session.run({ input: { type: 'float32', data, dims }, ...scalars });
const seen: MemorySeen = {
  architecture: network.architecture,
  stated: network.workingBytesPerPixel,
  bytes: peakMemory('self') - before,
};
process.stdout.write(JSON.stringify(seen));
await session.release();
