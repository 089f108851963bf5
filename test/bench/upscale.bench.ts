/**
 * One upscale of 512 x 512 by a 23-block RRDBNet, from file to file, beside the bare `session.run` calls on the same tiles;
 * then how the server answers while such a job runs. Ratios from one run; seconds are this machine's, at this hour.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { buildImageGraph } from '../../app/architectures/image-graph.ts';
import { recognise } from '../../app/architectures/registry.ts';
import { openCheckpoint } from '../../app/checkpoints/open-checkpoint.ts';
import { loadConfig } from '../../app/config.ts';
import { evenTiles } from '../../app/imaging/tiling.ts';
import { Session } from '../../app/inference/session.ts';
import { startService } from '../../app/main.ts';
import { outputOptions } from '../../app/options/output-options.ts';
import { upscaleOptions } from '../../app/options/upscale-options.ts';
import { WorkerPool } from '../../app/worker/worker-pool.ts';
import { median } from '../support/median.ts';
import { createHashedCheckpoint } from '../support/checkpoints/hashed-checkpoint.ts';

const SIDE = 512;
const ROUNDS = 3;
const folder = mkdtempSync(join(tmpdir(), 'hiresfix-bench-'));
const weights = createHashedCheckpoint('RealESRGAN_x4plus');
const photo = join(folder, 'noise.png');
await sharp({
  create: {
    width: SIDE,
    height: SIDE,
    channels: 3,
    background: '#888',
    noise: { type: 'gaussian', mean: 128, sigma: 40 },
  },
})
  .png()
  .toFile(photo);

try {
  const [part] = process.argv.slice(2); // neither: both
  if (part !== 'health') await overhead();
  if (part !== 'overhead') await health();
} finally {
  weights.remove();
  rmSync(folder, { recursive: true, force: true });
}

async function overhead(): Promise<void> {
  const ratios: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const whole = await wholeUpscale(round);
    const bare = await bareRuns(whole.tile, whole.halo);
    ratios.push(whole.seconds / bare);
    print(
      `round ${round + 1}: from file to file ${whole.seconds.toFixed(2)} s (loading left out), bare runs ${bare.toFixed(2)} s`,
    );
  }
  print(
    `whole upscale over bare session.run: median ${median(ratios).toFixed(3)} (${ratios.map((r) => r.toFixed(3)).join(', ')})`,
  );
}

async function wholeUpscale(round: number): Promise<{ seconds: number; tile: number; halo: number }> {
  const pool = new WorkerPool(loadConfig({ DEVICE: 'cpu' }), { isBackground: false });
  const [result] = await pool.run({
    kind: 'hires-fix',
    images: [{ file: photo, name: 'noise.png', outputStem: join(folder, `out-${round}`) }],
    modelFile: weights.file,
    options: upscaleOptions.parse({ scale: 4 }),
    output: outputOptions.parse({}),
  });
  await pool.close();
  const { seconds = {}, tile = 0, halo = 0 } = result?.info ?? {};
  return { seconds: (seconds['total'] ?? NaN) - (seconds['load'] ?? 0), tile, halo };
}

async function bareRuns(core: number, halo: number): Promise<number> {
  const network = recognise(openCheckpoint(weights.file));
  const tiles = evenTiles(SIDE, SIDE, { core, halo, multipleOf: 1 }).flat();
  const { width, height } = tiles[0]?.window ?? { width: SIDE, height: SIDE };
  const model = buildImageGraph(network, { width, height, channels: 3, depth: 8 }).serialize();
  const session = await Session.open(model, { weightsFolder: weights.folder, device: 'cpu' });
  const data = new Uint8Array(width * height * 3).fill(99);
  const start = performance.now();
  const pixels = { type: 'uint8', data, dims: [height, width, 3] } as const;
  for (let left = tiles.length; left > 0; left--) await session.run({ pixels });
  const seconds = (performance.now() - start) / 1000;
  await session.release();
  return seconds;
}

async function health(): Promise<void> {
  const config = loadConfig({
    PORT: '0',
    MODELS_DIR: weights.folder,
    UPLOAD_FOLDER: join(folder, 'uploads'),
    PROCESSED_FOLDER: join(folder, 'processed'),
    DEVICE: 'cpu',
    LOG_LEVEL: 'error',
  });
  const service = await startService(config);
  try {
    await latency(service.url);
  } finally {
    await service.close(0);
  }
}

async function latency(url: string): Promise<void> {
  const idle = await healthTimes(url, () => false);
  let isDone = false;
  const job = upscale(url, { upscaler: 'REALESRGAN_X4PLUS', scale: '4' }).finally(() => (isDone = true));
  const busy = await healthTimes(url, () => !isDone);
  await job;
  print(
    `GET /health/live, ms: idle p50 ${quantile(idle, 0.5)} p99 ${quantile(idle, 0.99)}; while 23 blocks run p50 ${quantile(busy, 0.5)} p99 ${quantile(busy, 0.99)} (${busy.length} requests)`,
  );
}

/** Every 20 ms: 100 times, or as long as `goOn` says. */
async function healthTimes(url: string, goOn: () => boolean): Promise<number[]> {
  const times: number[] = [];
  while (times.length < 100 || goOn()) {
    const start = performance.now();
    await (await fetch(`${url}/health/live`)).arrayBuffer();
    times.push(performance.now() - start);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return times;
}

/** Asked for again and again until it is done: under load that may take longer than a request is held. */
async function upscale(url: string, fields: Readonly<Record<string, string>>): Promise<void> {
  const form = new FormData();
  form.set('file', new Blob([readFileSync(photo)]), 'noise.png');
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  const accepted = await fetch(`${url}/upscale`, { method: 'POST', body: form, headers: { Prefer: 'respond-async' } });
  const { job_id: id } = (await accepted.json()) as { job_id: string };
  for (let status = 'queued'; status !== 'completed';) {
    ({ status } = (await (await fetch(`${url}/status/${id}`)).json()) as { status: string });
    if (status === 'failed') throw new Error(`job ${id} failed`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

function quantile(values: readonly number[], share: number): string {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN).toFixed(1);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
