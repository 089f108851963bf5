/**
 * Run by a test with a SessionJob as its argument: onnxruntime-node does not run inside Jest. The checkpoint is exchanged between
 * loading and running the network, so that what the first device has loaded is damaged, and what the second one loads is not.
 */
import { renameSync } from 'node:fs';
import { checkedTensorGraph } from '../../../app/architectures/tensor-graph.ts';
import type { Tensor } from '../../../app/inference/session.ts';
import { NetworkSession } from '../../../app/processing/networks/network-session.ts';
import type { Fallback } from '../../../app/processing/result.ts';

export interface SessionJob {
  readonly file: string;
  /** What the checkpoint is replaced by once it is loaded. */
  readonly replacement: string;
}

export interface SessionSeen {
  readonly fallbacks: readonly Fallback[];
  /** None where it failed. */
  readonly output?: readonly number[];
  readonly error?: string;
}

const SIDE = 8;
const { file, replacement } = JSON.parse(process.argv[2] ?? '') as SessionJob;
const network = await NetworkSession.open({
  file,
  build: (recognised) => checkedTensorGraph(recognised, [1, 3, SIDE, SIDE]),
  devices: ['cpu', 'cpu'], // two devices of which every machine has both
});
renameSync(replacement, file); // not written over: the runtime maps the file that it has loaded
const data = Float32Array.from({ length: 3 * SIDE * SIDE }, (_, i) => (i % 7) / 7);
const input: Tensor = { type: 'float32', data, dims: [1, 3, SIDE, SIDE] };
process.stdout.write(JSON.stringify(await outcome()));
await network.close();
await network.close(); // closing twice is no fault

async function outcome(): Promise<SessionSeen> {
  const { fallbacks } = network;
  try {
    const { output } = await network.run({ input });
    return { fallbacks, output: [...(output?.data as Float32Array)] };
  } catch (error) {
    return { fallbacks, error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
  }
}
