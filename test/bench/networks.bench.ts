/**
 * Every published network at full size, with pseudo-random weights, on 64 x 64 pixels: the bare network here and in PyTorch (the Python of
 * $PYTHON, with spandrel), in turn, on as many threads. What counts is the ratio of the medians; below 1 we are faster. An argument is a
 * pattern for the names, another the rounds.
 */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { recognise } from '../../app/architectures/registry.ts';
import { buildTensorGraph } from '../../app/architectures/tensor-graph.ts';
import { openCheckpoint } from '../../app/checkpoints/open-checkpoint.ts';
import type { Tensor } from '../../app/inference/session.ts';
import { Session, weightsFolderOf } from '../../app/inference/session.ts';
import { createHashedCheckpoint } from '../support/checkpoints/hashed-checkpoint.ts';
import { quantile } from '../support/servers/open-loop.ts';
import { Peers } from './peers.ts';

const SIDE = 64;
const PEER = 'network_peer.py';
const MANIFESTS = fileURLToPath(new URL('../fixtures/manifests', import.meta.url));
const OF_PIPELINES = /^(ddcolor|Colorize|GFPGAN|codeformer|RestoreFormer|detection|parsing)/;

const [pattern = '', rounds = '5'] = process.argv.slice(2);
const names = readdirSync(MANIFESTS).map((file) => file.replace('.json', ''));
for (const name of names) {
  if (!OF_PIPELINES.test(name) && new RegExp(pattern).test(name)) await measure(name);
}

async function measure(name: string): Promise<void> {
  const checkpoint = createHashedCheckpoint(name);
  try {
    const peers = await Peers.start(PEER, checkpoint.file, String(SIDE));
    const run = await ownRun(checkpoint.file);
    const times: { own: number[]; torch: number[] } = { own: [], torch: [] };
    for (let round = 0; round < Number(rounds); round++) {
      const start = performance.now();
      await run();
      times.own.push(performance.now() - start);
      const { torch } = await peers.round();
      if (torch !== undefined) times.torch.push(torch);
    }
    peers.stop();
    const [own, torch] = [times.own, times.torch].map((list) => quantile(list, 0.5)) as [number, number];
    console.log(`${name.padEnd(30)} ${own.toFixed(0)} ms; PyTorch ${torch.toFixed(0)} ms: ${(own / torch).toFixed(2)}`);
  } finally {
    checkpoint.remove();
  }
}

/** The bare network, loaded and once run. */
async function ownRun(file: string): Promise<() => Promise<unknown>> {
  const network = recognise(openCheckpoint(file));
  const dims = [1, network.inputChannels, SIDE, SIDE] as const;
  const options = { weightsFolder: weightsFolderOf(file), device: 'cpu' } as const;
  const session = await Session.open(buildTensorGraph(network, dims), options);
  const data = Float32Array.from({ length: network.inputChannels * SIDE ** 2 }, (_, i) => ((i * 37) % 256) / 255);
  const input: Tensor = { type: 'float32', data, dims };
  const scalars = Object.entries(network.scalars ?? {}).map(([name, preset]): [string, Tensor] => {
    return [name, { type: 'float32', data: Float32Array.of(preset), dims: [1] }];
  });
  const run = (): Promise<unknown> => session.run({ input, ...Object.fromEntries(scalars) });
  await run();
  return run;
}
