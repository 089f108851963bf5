/**
 * 100 requests in a row that only resize, 512 x 512 to 1024 x 1024, PNG to PNG: what one takes beside the work that it tells of in
 * `Server-Timing` (at most 1.4 times as long), and what the server and its workers hold after ten and after all of them. Linux only.
 */
import sharp from 'sharp';
import { median } from '../support/median.ts';
import { buildProgram } from '../support/built-program.ts';
import { childProcesses } from '../support/child-processes.ts';
import { residentMemory } from '../support/resident-memory.ts';
import { serveProcess } from '../support/servers/serve-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const REQUESTS = 100;
const MAX_RATIO = 1.4;
const MAX_GROWTH = 1.1;
/** Stages that are no work of a worker. */
const WAITS = ['total', 'queue'];

const noise = { type: 'gaussian', mean: 128, sigma: 40 } as const;
const photo = await sharp({ create: { width: 512, height: 512, channels: 3, background: '#888', noise } })
  .blur(2)
  .png()
  .toBuffer();
const program = await buildProgram();
const folder = await temporaryFolder();
const server = await serveProcess(folder.path, { RESULT_CACHE_MB: '0', MODEL_DOWNLOADS: 'false' }, program.main);
try {
  const ratios: number[] = [];
  const times: number[] = [];
  const held: number[] = [];
  for (let request = 1; request <= REQUESTS; request++) {
    const start = performance.now();
    const response = await fetch(`${server.url}/upscale?upscaler=LANCZOS&scale=2`, {
      method: 'POST',
      headers: { 'Content-Type': 'image/png' },
      body: new Uint8Array(photo),
    });
    await response.arrayBuffer();
    const ms = performance.now() - start;
    if (!response.ok) throw new Error(`POST /upscale answered ${response.status}`);
    times.push(ms);
    ratios.push(ms / workOf(response.headers.get('server-timing') ?? ''));
    if (request === 10 || request === REQUESTS) held.push(heldBy(server.pid));
  }
  const [first = NaN, last = NaN] = held;
  const ratio = median(ratios);
  process.stdout.write(
    `p50 ${median(times).toFixed(0)} ms, ${ratio.toFixed(2)} times the work; server and workers hold ` +
      `${(first / 2 ** 20).toFixed(0)} MB after 10, ${(last / 2 ** 20).toFixed(0)} MB after ${REQUESTS} requests\n`,
  );
  if (ratio > MAX_RATIO || last / first > MAX_GROWTH) process.exitCode = 1;
} finally {
  await server.kill();
  await program.remove();
  await folder.remove();
}

/** Milliseconds. */
function workOf(timing: string): number {
  const stages = [...timing.matchAll(/([\w-]+);dur=([\d.]+)/g)].filter(([, name = '']) => !WAITS.includes(name));
  return stages.reduce((sum, [, , ms]) => sum + Number(ms), 0);
}

function heldBy(pid: number): number {
  return [pid, ...childProcesses(pid)].reduce((sum, one) => sum + residentMemory(one), 0);
}
