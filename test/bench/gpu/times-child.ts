/**
 * One network on one device in a process of its own, as a worker has it: `times-child.ts CHECKPOINT DEVICE fp32|fp16 SIDE`. Prints one
 * line of JSON: milliseconds to load, of the first run and of later ones, MiB of the card, and levels from the CPU's fp32.
 */
import { execFileSync } from 'node:child_process';
import type { SessionDevice } from '../../../app/inference/devices.ts';
import { rehearsalOn } from '../../../app/processing/networks/forms/rehearsal.ts';
import { median } from '../../support/median.ts';
import { levelsOf, noisePixels, openPixels } from './levels.ts';
import type { Times } from './measuring.ts';

const RUNS = 9;

const [checkpoint = '', device = 'cuda', asked = 'fp32', side = '512'] = process.argv.slice(2);
const numbers = asked === 'fp16' ? 'fp16' : 'fp32';
const start = performance.now();
if (device === 'cuda') rehearsalOn(device); // as a worker does when its task begins
const session = await openPixels(checkpoint, Number(side), numbers, device as SessionDevice);
const load = performance.now() - start;
const times: number[] = [];
const pixels = noisePixels(Number(side));
for (let run = 0; run < RUNS; run++) {
  const before = performance.now();
  await session.run({ pixels });
  times.push(performance.now() - before);
}
const [first = 0, ...later] = times;
const memory = memoryOf(process.pid);
const { warning } = session;
await session.release();
const { most } = await levelsOf(checkpoint, numbers, device as SessionDevice);
const row: Times & { readonly levels: number } = {
  load,
  first,
  later: median(later),
  levels: most,
  ...(memory !== undefined && { memory }),
  ...(warning !== undefined && { warning }),
};
process.stdout.write(`${JSON.stringify(row)}\n`);

/** What a process has of its card, in MiB; undefined where nothing says. */
function memoryOf(pid: number): number | undefined {
  try {
    const query = ['--query-compute-apps=pid,used_memory', '--format=csv,noheader,nounits'];
    const rows = execFileSync('nvidia-smi', query, { encoding: 'utf8' }).split('\n');
    const own = rows.map((row) => row.split(',').map(Number)).find(([id]) => id === pid);
    return own?.[1];
  } catch {
    return undefined;
  }
}
