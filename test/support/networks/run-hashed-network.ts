import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Network } from '../../../app/architectures/architecture.ts';
import { openCheckpoint } from '../../../app/checkpoints/open-checkpoint.ts';
import { readTensor } from '../../../app/checkpoints/read-tensor.ts';
import type { GraphTarget } from '../../../app/onnx/graph.ts';
import { temporaryFolder } from '../temporary-folder.ts';

/** One pass through a network: files of `models run`. */
export interface NetworkRun {
  readonly input: string;
  readonly output: string;
  /** NAFNet alone: local instead of global pooling. */
  readonly localBaseSize?: number;
  /** NAFNet alone: what its graph is built for; by default the CPU, on which all run. */
  readonly target?: GraphTarget;
}

/** What the child does: the checkpoint of one manifest, several passes. */
export interface NetworkJob {
  readonly manifest: string;
  readonly runs: readonly NetworkRun[];
}

/** What recognition says of the checkpoint. */
export type SeenNetwork = Pick<Network, 'parameters' | 'scale' | 'inputChannels' | 'outputChannels'> & {
  readonly architecture: string;
};

/** An answer for every input, and what the network was taken for. */
export interface HashedNetworkResult {
  readonly seen: SeenNetwork;
  readonly outputs: readonly Float32Array[];
}

const CHILD = fileURLToPath(new URL('hashed-network-child.ts', import.meta.url));
const PROJECT = fileURLToPath(new URL('../../..', import.meta.url));

/** Runs the network of a manifest, with its pseudo-random weights, on the `input` of safetensors files, in another process. */
export async function runHashedNetwork(
  manifest: string,
  inputs: readonly Omit<NetworkRun, 'output'>[],
): Promise<HashedNetworkResult> {
  const folder = await temporaryFolder();
  try {
    const runs = inputs.map((run, i) => ({ ...run, output: `${folder.path}/${i}.safetensors` }));
    const job: NetworkJob = { manifest, runs };
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', CHILD, JSON.stringify(job)], {
      cwd: PROJECT,
    });
    const outputs = runs.map(({ output }) => readTensor(openCheckpoint(output), 'output'));
    return { seen: JSON.parse(stdout) as SeenNetwork, outputs };
  } finally {
    await folder.remove();
  }
}
