/**
 * What it costs to load a checkpoint of the size of the official ones (or one that is named), with its weights checked for the first
 * time, with them known to be sound, and without any check, in turn: `npm run bench -- weights`. The best of several, in
 * milliseconds of wall time and of CPU.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildImageGraph } from '../../app/architectures/image-graph.ts';
import { recognise } from '../../app/architectures/registry.ts';
import { checkWeights } from '../../app/checkpoints/check-weights.ts';
import { openCheckpoint } from '../../app/checkpoints/open-checkpoint.ts';
import type { StateDict } from '../../app/checkpoints/state-dict.ts';
import { RememberedFacts } from '../../app/files/remembered-facts.ts';
import { Session, weightsFolderOf } from '../../app/inference/session.ts';
import { writeHashedModel } from '../support/checkpoints/hashed-checkpoint.ts';

const ROUNDS = 7;
const SIDE = 128;

const folder = mkdtempSync(join(tmpdir(), 'hiresfix-bench-'));
try {
  const file = process.argv[2] ?? join(folder, 'RealESRGAN_x4plus.pth');
  if (process.argv[2] === undefined) writeHashedModel(file, 'RealESRGAN_x4plus');
  const facts = new RememberedFacts(join(folder, 'facts'));
  facts.remember(file, 'sound', { text: '', since: Date.now() + 1000 });
  const checks: Readonly<Record<string, (dict: StateDict) => void>> = {
    'no check': () => undefined,
    'known to be sound': (dict) => {
      if (facts.recall(dict.file, 'sound') === undefined) throw new Error('it was forgotten');
    },
    'checked for the first time': checkWeights,
  };
  const best = new Map<string, { wall: number; cpu: number }>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, check] of Object.entries(checks)) {
      const { wall, cpu } = await load(file, check);
      const before = best.get(name) ?? { wall: Infinity, cpu: Infinity };
      best.set(name, { wall: Math.min(wall, before.wall), cpu: Math.min(cpu, before.cpu) });
    }
  }
  for (const [name, { wall, cpu }] of best) {
    process.stdout.write(`${name.padEnd(28)} ${wall.toFixed(0).padStart(6)} ms, CPU ${cpu.toFixed(0)} ms\n`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function load(file: string, check: (dict: StateDict) => void): Promise<{ wall: number; cpu: number }> {
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  const dict = openCheckpoint(file);
  const network = recognise(dict);
  check(dict);
  const graph = buildImageGraph(network, { width: SIDE, height: SIDE, channels: 3, depth: 8 });
  const session = await Session.open(graph.serialize(), { weightsFolder: weightsFolderOf(file), device: 'cpu' });
  const wall = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  await session.release();
  return { wall, cpu: (user + system) / 1000 };
}
