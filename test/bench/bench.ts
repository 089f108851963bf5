/** `npm run bench` runs what is listed here, one after another; `npm run bench -- NAME...` some of it. Figures are this machine's, at this hour. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const PARTS: Readonly<Record<string, readonly [file: string, ...args: string[]]>> = {
  overhead: ['upscale.bench.ts', 'overhead'],
  precision: ['precision.bench.ts'],
  'official-int8': ['official-int8.bench.ts'],
  networks: ['networks.bench.ts'],
  resample: ['resample.bench.ts'],
  weights: ['checked-load.bench.ts'],
  health: ['upscale.bench.ts', 'health'],
  memory: ['memory/server-memory.bench.ts'],
  'small-requests': ['small-requests.bench.ts'],
  'keep-alive': ['keep-alive.bench.ts'],
  batch: ['batch.bench.ts'],
  load: ['load.bench.ts'],
  download: ['download.bench.ts'],
  queue: ['queue.bench.ts'],
};

const asked = process.argv.slice(2);
const unknown = asked.find((name) => PARTS[name] === undefined);
if (unknown !== undefined) throw new Error(`no bench '${unknown}'; there are ${Object.keys(PARTS).join(', ')}`);
for (const [name, [file, ...args]] of Object.entries(PARTS)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  process.stdout.write(`\n${name}\n`);
  const path = fileURLToPath(new URL(file, import.meta.url));
  const { status } = spawnSync(process.execPath, [...process.execArgv, path, ...args], { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
