/**
 * How the service, a process of its own, answers under load: `npm run bench -- load`. Prints, while networks keep every core busy, the
 * times of 100 requests a second that submit jobs and ask for them; its memory at the rate that it can serve and at five times
 * that, with the times of its refusals; and the times of a client among 500 that send next to nothing. Linux only.
 */
import { loadavg } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { buildProgram } from '../support/built-program.ts';
import { writeHashedModel } from '../support/checkpoints/hashed-checkpoint.ts';
import { openLoop, quantile } from '../support/servers/open-loop.ts';
import { residentMemory } from '../support/resident-memory.ts';
import type { ServeProcess } from '../support/servers/serve-process.ts';
import { serveProcess } from '../support/servers/serve-process.ts';
import { SlowClients } from '../support/servers/slow-clients.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const MODEL = 'RealESRGAN_x4plus';
const WORKERS = 2;
const SATURATED = { perSecond: 100, seconds: 20 };
const OVERLOAD_SECONDS = 40;
const OVERLOAD = 5;
const SLOW_CLIENTS = 500;
const RSS_MS = 100;
const SMALL = await picture(32);
const MEDIUM = await picture(160);
const LARGE = await picture(512);

const program = await buildProgram();
print(`load of the machine before: ${loadavg()[0]?.toFixed(1) ?? '?'}`);
try {
  await withServer({ MAX_QUEUE: '10000', WORKERS: String(WORKERS) }, saturated);
  await withServer({ MAX_QUEUE: '20', WORKERS: String(WORKERS) }, overloaded);
  await withServer({}, amongSlowClients);
} finally {
  await program.remove();
}

async function withServer(
  env: Record<string, string>,
  measure: (server: ServeProcess) => Promise<void>,
): Promise<void> {
  const folder = await temporaryFolder();
  writeHashedModel(join(folder.path, `${MODEL}.pth`), MODEL);
  const server = await serveProcess(folder.path, { MODELS_DIR: folder.path, DEVICE: 'cpu', ...env }, program.main);
  try {
    await measure(server);
  } finally {
    await server.kill();
    await folder.remove();
  }
}

/** Networks run in front of the queue all the while: what is submitted waits behind them. */
async function saturated({ url }: ServeProcess): Promise<void> {
  const busy = [];
  for (let job = 0; job < WORKERS; job++) busy.push(await submit(url, LARGE, 'REALESRGAN_X4PLUS'));
  for (const id of busy) while ((await stageOf(url, id)) !== 'upscaling') await pause(100);
  let known = busy[0] ?? '';
  const times = await openLoop(SATURATED, async (index) => {
    if (index % 2 === 1) await stageOf(url, known);
    else known = await submit(url, SMALL, 'LANCZOS');
  });
  const stages = await Promise.all(busy.map((id) => stageOf(url, id)));
  const of = (rest: number): string => milliseconds(times.filter((_, index) => index % 2 === rest).map(({ ms }) => ms));
  print(`100 requests/s while ${WORKERS} workers run 23 blocks (still at it at the end: ${stages.join(', ')})`);
  print(`  POST /upscale (202): ${of(0)}`);
  print(`  GET /jobs/{id}:      ${of(1)}`);
}

async function overloaded(server: ServeProcess): Promise<void> {
  const capacity = await servedPerSecond(server.url);
  const served = await flood(server, capacity);
  const flooded = await flood(server, capacity * OVERLOAD);
  print(
    `served ${capacity.toFixed(1)} jobs/s; resident memory of the server at its most, over ${OVERLOAD_SECONDS} s each`,
  );
  print(
    `  at that rate ${megabytes(served.memory)}; at five times that ${megabytes(flooded.memory)}: ${(flooded.memory / served.memory).toFixed(3)}`,
  );
  print(`  refusals (429), ${flooded.refusals.length} of ${flooded.requests}: ${milliseconds(flooded.refusals)}`);
}

/** By callers that wait for each other's place, in a first run that also warms the server up. */
async function servedPerSecond(url: string): Promise<number> {
  const start = performance.now();
  let served = 0;
  const caller = async (): Promise<void> => {
    while (performance.now() - start < (OVERLOAD_SECONDS / 2) * 1000) {
      await (await post(url, MEDIUM, 'LANCZOS', {})).arrayBuffer();
      served++;
    }
  };
  await Promise.all(Array.from({ length: WORKERS * 2 }, caller));
  return served / ((performance.now() - start) / 1000);
}

async function flood({ url, pid }: ServeProcess, perSecond: number) {
  let memory = 0;
  const looking = setInterval(() => (memory = Math.max(memory, residentMemory(pid))), RSS_MS);
  const answers = await openLoop({ perSecond, seconds: OVERLOAD_SECONDS }, async () => {
    const response = await post(url, MEDIUM, 'LANCZOS', { Prefer: 'respond-async' });
    await response.arrayBuffer();
    return response.status;
  });
  clearInterval(looking);
  const refusals = answers.filter(({ answer }) => answer === 429).map(({ ms }) => ms);
  return { memory, refusals, requests: answers.length };
}

async function amongSlowClients({ url }: ServeProcess): Promise<void> {
  const alone = await healthyTimes(url);
  const slow = await SlowClients.connect(Number(new URL(url).port), SLOW_CLIENTS);
  const among = await healthyTimes(url);
  print(`POST /upscale of 32 x 32 pixels, from request to result: alone ${milliseconds(alone)}`);
  print(`  among ${slow.open} slow clients, of whom ${slow.cut} were cut off and came back: ${milliseconds(among)}`);
  slow.close();
}

async function healthyTimes(url: string): Promise<number[]> {
  const times: number[] = [];
  const start = performance.now();
  while (performance.now() - start < 20_000) {
    const asked = performance.now();
    const response = await post(url, SMALL, 'LANCZOS', {});
    await response.arrayBuffer();
    if (response.status !== 200) throw new Error(`POST /upscale answered ${response.status}`);
    times.push(performance.now() - asked);
  }
  return times;
}

async function submit(url: string, image: Buffer, upscaler: string): Promise<string> {
  const response = await post(url, image, upscaler, { Prefer: 'respond-async' });
  const { job_id: id } = (await response.json()) as { job_id?: string };
  if (id === undefined) throw new Error(`POST /upscale answered ${response.status}`);
  return id;
}

function post(url: string, image: Buffer, upscaler: string, headers: Record<string, string>): Promise<Response> {
  return fetch(`${url}/upscale?scale=2&upscaler=${upscaler}`, {
    method: 'POST',
    headers: { 'Content-Type': 'image/png', ...headers },
    body: new Uint8Array(image),
  });
}

async function stageOf(url: string, id: string): Promise<string> {
  return ((await (await fetch(`${url}/jobs/${id}`)).json()) as { stage: string }).stage;
}

/** Noise, which compresses badly. */
function picture(side: number): Promise<Buffer> {
  const noise = { type: 'gaussian', mean: 128, sigma: 40 } as const;
  return sharp({ create: { width: side, height: side, channels: 3, background: '#888', noise } })
    .png()
    .toBuffer();
}

function milliseconds(times: readonly number[]): string {
  const [p50, p99, most] = [0.5, 0.99, 1].map((share) => quantile(times, share).toFixed(1));
  return `p50 ${p50} ms, p99 ${p99} ms, most ${most} ms (${times.length})`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MB`;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
