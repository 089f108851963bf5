/**
 * What `MODEL_KEEP_ALIVE_SECONDS` buys: requests in a row for the network that ships with the package, 512 x 512, without it and with it; from
 * when a worker takes a request until its first tile begins (at most 50 ms where the model is kept), from when it is sent, and what
 * processes and memory are left when its time is over. Linux only.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { HiresFixClient } from '../../app/client/hires-fix-client.ts';
import { median } from '../support/median.ts';
import { buildProgram } from '../support/built-program.ts';
import { childProcesses } from '../support/child-processes.ts';
import { residentMemory } from '../support/resident-memory.ts';
import { serveProcess } from '../support/servers/serve-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const REQUESTS = 7;
const KEEP_SECONDS = 5;
const MAX_START_MS = 50;
/** What a server and its spare worker may differ by from one hour to another. */
const MAX_LEFT_MB = 60;

const noise = { type: 'gaussian', mean: 128, sigma: 40 } as const;
const photo = await sharp({ create: { width: 512, height: 512, channels: 3, background: '#888', noise } })
  .blur(2)
  .png()
  .toBuffer();
const program = await buildProgram();
try {
  const fresh = await measure(0);
  const kept = await measure(KEEP_SECONDS);
  process.stdout.write(
    `from a worker to the first tile: ${fresh.takenMs.toFixed(0)} ms with a model loaded for each request, ${kept.takenMs.toFixed(0)} ms with one that is kept\n` +
      `from the request to the first tile: ${fresh.startMs.toFixed(0)} ms, ${kept.startMs.toFixed(0)} ms; ` +
      `all of a request: ${fresh.allMs.toFixed(0)} ms, ${kept.allMs.toFixed(0)} ms\n` +
      `while it is kept: ${kept.processes} workers, ${kept.heldMb.toFixed(0)} MB more than before; after its time: ` +
      `${kept.processesLeft} worker, ${kept.leftMb.toFixed(0)} MB more\n`,
  );
  if (kept.takenMs > MAX_START_MS || kept.processesLeft !== 1 || kept.leftMb > MAX_LEFT_MB) process.exitCode = 1;
} finally {
  await program.remove();
}

interface Measured {
  /** Medians of all requests but the first. */
  readonly takenMs: number;
  readonly startMs: number;
  readonly allMs: number;
  readonly processes: number;
  readonly heldMb: number;
  readonly processesLeft: number;
  readonly leftMb: number;
}

async function measure(keepSeconds: number): Promise<Measured> {
  const folder = await temporaryFolder();
  const server = await serveProcess(folder.path, { MODEL_KEEP_ALIVE_SECONDS: String(keepSeconds) }, program.main);
  try {
    const client = new HiresFixClient(server.url);
    await client.upscale(new Uint8Array(photo), { upscaler: 'LANCZOS', scale: 2 });
    const before = heldBy(server.pid);
    const taken: number[] = [];
    const starts: number[] = [];
    const times: number[] = [];
    for (let request = 0; request < REQUESTS; request++) {
      const sent = performance.now();
      let begun = NaN;
      const onProgress = ({ stage }: { readonly stage: string }): void => {
        if (Number.isNaN(begun) && stage === 'upscaling') begun = performance.now() - sent;
      };
      const { info } = await client.upscale(new Uint8Array(photo), { upscaler: 'COMPACT_X2', scale: 2, onProgress });
      const { decode = NaN, download = 0, load = NaN } = info.seconds;
      taken.push((decode + download + load) * 1000);
      starts.push(begun);
      times.push(performance.now() - sent);
    }
    const [processes, held] = [childProcesses(server.pid).length, heldBy(server.pid)];
    await sleep(keepSeconds * 1000 + 3000);
    return {
      takenMs: median(taken.slice(1)),
      startMs: median(starts.slice(1)),
      allMs: median(times.slice(1)),
      processes,
      heldMb: (held - before) / 2 ** 20,
      processesLeft: childProcesses(server.pid).length,
      leftMb: (heldBy(server.pid) - before) / 2 ** 20,
    };
  } finally {
    await server.kill();
    await folder.remove();
  }
}

function heldBy(pid: number): number {
  return [pid, ...childProcesses(pid)].reduce((sum, one) => sum + residentMemory(one), 0);
}
