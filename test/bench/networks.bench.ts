/**
 * Every published network at full size, with pseudo-random weights, on 64 x 64 pixels (or the only size that it takes): the bare network here and in
 * PyTorch (the Python of $PYTHON, with spandrel), in turn, on as many threads; beside them how long its multiplications alone would take. What counts
 * are the ratios, of the medians and of processor time, which other work on the machine changes least; below 1 we are faster than PyTorch. An
 * argument is a pattern for the names, another the rounds. Networks that spandrel does not read have no PyTorch beside them.
 */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { recognise } from '../../app/architectures/registry.ts';
import { tensorGraph } from '../../app/architectures/tensor-graph.ts';
import { openCheckpoint } from '../../app/checkpoints/open-checkpoint.ts';
import type { Tensor } from '../../app/inference/session.ts';
import { Session, weightsFolderOf } from '../../app/inference/session.ts';
import { createHashedCheckpoint } from '../support/checkpoints/hashed-checkpoint.ts';
import { quantile } from '../support/servers/open-loop.ts';
import { multiplicationsOf, openArithmeticLimit } from './arithmetic.ts';
import { Peers } from './peers.ts';

const SIDE = 64;
const PEER = 'network_peer.py';
const MANIFESTS = fileURLToPath(new URL('../fixtures/manifests', import.meta.url));

/** Milliseconds of a run. */
interface Times {
  readonly wall: number;
  /** Of all threads together. */
  readonly processor: number;
}

interface OwnNetwork {
  readonly side: number;
  /** Of what goes in. */
  readonly channels: number;
  readonly multiplications: number;
  readonly run: () => Promise<unknown>;
}

const [pattern = '', rounds = '5'] = process.argv.slice(2);
const names = readdirSync(MANIFESTS).map((file) => file.replace('.json', ''));
const limit = await openArithmeticLimit();
for (const name of names.filter((one) => new RegExp(pattern).test(one))) await measure(name);

async function measure(name: string): Promise<void> {
  const checkpoint = createHashedCheckpoint(name);
  try {
    const { side, channels, multiplications, run } = await openOwn(checkpoint.file);
    const peers = await Peers.start(PEER, checkpoint.file, String(side), String(channels));
    const [own, torch, limits]: [Times[], Times[], number[]] = [[], [], []];
    for (let round = 0; round < Number(rounds); round++) {
      own.push(await timed(run));
      const { wall, processor } = await peers.round();
      if (wall !== undefined && processor !== undefined) torch.push({ wall, processor });
      limits.push((await limit()) * multiplications);
    }
    peers.stop();
    console.log(lineOf(name, { own, torch, limit: quantile(limits, 0.5) }));
  } finally {
    checkpoint.remove();
  }
}

async function timed(run: () => Promise<unknown>): Promise<Times> {
  const [start, before] = [performance.now(), process.cpuUsage()];
  await run();
  const { user, system } = process.cpuUsage(before);
  return { wall: performance.now() - start, processor: (user + system) / 1000 };
}

function lineOf(
  name: string,
  found: { readonly own: Times[]; readonly torch: Times[]; readonly limit: number },
): string {
  const median = (times: readonly Times[], what: keyof Times): number =>
    quantile(
      times.map((one) => one[what]),
      0.5,
    );
  const own = median(found.own, 'wall');
  const ratio = (what: keyof Times): string => (median(found.own, what) / median(found.torch, what)).toFixed(2);
  const beside =
    found.torch.length === 0
      ? 'no PyTorch'
      : `PyTorch ${median(found.torch, 'wall').toFixed(0)} ms: ${ratio('wall')} (processor time ${ratio('processor')})`;
  return `${name.padEnd(30)} ${own.toFixed(0)} ms; ${beside}; ${(own / found.limit).toFixed(1)} times its arithmetic`;
}

/** The bare network, loaded and once run. */
async function openOwn(file: string): Promise<OwnNetwork> {
  const network = recognise(openCheckpoint(file));
  const { side = SIDE, inputChannels } = network;
  const dims = [1, inputChannels, side, side] as const;
  const options = { weightsFolder: weightsFolderOf(file), device: 'cpu' } as const;
  const graph = tensorGraph(network, dims);
  const session = await Session.open(graph.serialize(), options);
  const data = Float32Array.from({ length: inputChannels * side ** 2 }, (_, i) => ((i * 37) % 256) / 255);
  const input: Tensor = { type: 'float32', data, dims };
  const scalars = Object.entries(network.scalars ?? {}).map(([name, preset]): [string, Tensor] => {
    return [name, { type: 'float32', data: Float32Array.of(preset), dims: [1] }];
  });
  const run = (): Promise<unknown> => session.run({ input, ...Object.fromEntries(scalars) });
  await run();
  return { side, channels: inputChannels, multiplications: multiplicationsOf(graph.contents()), run };
}
