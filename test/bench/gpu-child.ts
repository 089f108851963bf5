/**
 * One network on one device in a process of its own, as a worker has it: `gpu-child.ts CHECKPOINT DEVICE fp32|fp16 SIDE`. Prints one
 * line of JSON: milliseconds to load, of the first run and of later ones, MiB of the card, and levels from the CPU's fp32.
 */
import { execFileSync } from 'node:child_process';
import { openNetwork } from '../../app/processing/networks/open-network.ts';
import { checkpointSessions } from '../../app/processing/networks/checkpoint-sessions.ts';
import type { PixelSession, SessionKey } from '../../app/processing/networks/network-runner.ts';
import type { SessionDevice } from '../../app/inference/devices.ts';
import type { Tensor } from '../../app/inference/session.ts';
import { weightsFolderOf } from '../../app/inference/session.ts';
import { quantile } from '../support/servers/open-loop.ts';

/** A side that the CPU runs in a moment. */
const COMPARED_SIDE = 64;
const RUNS = 9;

const [checkpoint = '', device = 'cuda', asked = 'fp32', side = '512'] = process.argv.slice(2);
const open = (precision: 'fp32' | 'fp16') =>
  checkpointSessions(openNetwork(checkpoint), {
    weightsFolder: weightsFolderOf(checkpoint),
    precision: { asked: precision, isHalfOnCpu: true },
  });

const numbers = asked === 'fp16' ? 'fp16' : 'fp32';
const start = performance.now();
const session = await open(numbers)(keyOf(Number(side)), device as SessionDevice);
const load = performance.now() - start;
const times: number[] = [];
const picture = pictureOf(Number(side));
for (let run = 0; run < RUNS; run++) {
  const before = performance.now();
  await pixelsOf(session, picture);
  times.push(performance.now() - before);
}
const [first = 0, ...later] = times;
const memory = memoryOf(process.pid);
const { warning } = session;
await session.release();
const row = { load, first, later: quantile(later, 0.5), memory, levels: await levels(), warning };
process.stdout.write(`${JSON.stringify(row)}\n`);

function keyOf(length: number): SessionKey {
  return { channels: 3, depth: 8, width: length, height: length, isOpaque: true, views: 1, isWidened: false };
}

function pictureOf(length: number): Tensor {
  const data = Uint8Array.from({ length: length * length * 3 }, (_, index) => (index * 2654435761) >>> 24);
  return { type: 'uint8', data, dims: [length, length, 3] };
}

async function pixelsOf(running: PixelSession, pixels: Tensor): Promise<ArrayLike<number | bigint>> {
  const outputs = await running.run({ pixels });
  return outputs['pixels_out']?.data ?? [];
}

/** The largest difference of two samples, here and on the CPU in fp32. */
async function levels(): Promise<number> {
  const [key, compared] = [keyOf(COMPARED_SIDE), pictureOf(COMPARED_SIDE)];
  const [here, there] = [await open(numbers)(key, device as SessionDevice), await open('fp32')(key, 'cpu')];
  const [ours, theirs] = [await pixelsOf(here, compared), await pixelsOf(there, compared)];
  await here.release();
  await there.release();
  return Array.from(theirs).reduce<number>(
    (most, value, index) => Math.max(most, Math.abs(Number(value) - Number(ours[index]))),
    0,
  );
}

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
