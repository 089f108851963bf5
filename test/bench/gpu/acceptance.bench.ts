/**
 * `npm run bench:gpu:acceptance [-- DEVICE [PATTERN]]`: all that is asked of a card, beside what it comes to, in some five minutes on an H100: Real-ESRGAN
 * x4plus at 512 x 512 file to file, loading, later runs beside PyTorch's (the Python of $PYTHON, with spandrel), a batch, and the levels of all published
 * networks, or of those that match, from the CPU's result. `DEVICE` is `cuda`; `cpu` tries the script itself, with a small network.
 */
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { proceduralScene } from '../../../app/processing/int8/scene.ts';
import { WorkerPool } from '../../../app/worker/worker-pool.ts';
import { createHashedCheckpoint } from '../../support/checkpoints/hashed-checkpoint.ts';
import { publishedNetworks } from '../../support/checkpoints/hashed-weights.ts';
import { writePng } from '../../support/images/png.ts';
import { median } from '../../support/median.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { upscaleTask, workerConfig } from '../../support/upscale-task.ts';
import type { Levels } from './levels.ts';
import type { Times } from './measuring.ts';
import { canMeasure, inWords, measureInChild, measurePeer } from './measuring.ts';

/** In ms; of PyTorch's time; pictures a second; levels. */
const ASKED = { whole: 1500, loadAndFirst: 1000, later: 0.85, batch: 4, fp32: 2, fp16: 3 };

const [device = 'cuda', pattern = ''] = process.argv.slice(2);
/** The CPU runs something small: what is tried is the script. */
const [network, side, rounds, pictures] =
  device === 'cpu' ? ['compact_x1', 64, 1, 3] : ['RealESRGAN_x4plus', 512, 3, 12];
const missed: string[] = [];
if (await canMeasure(device)) {
  const folder = await temporaryFolder();
  const checkpoint = createHashedCheckpoint(network);
  try {
    const names = Array.from({ length: pictures }, (_, index) => `${index}.png`);
    for (const [index, name] of names.entries()) {
      await writeFile(join(folder.path, name), writePng(proceduralScene(index, side)));
    }
    const run = (some: readonly string[]) => fileToFile(folder.path, some, checkpoint.file);
    const wholes: number[] = [];
    for (let round = 0; round < rounds; round++) wholes.push((await run(names.slice(0, 1))).whole);
    told('file to file in a fresh worker', { figure: median(wholes), unit: 'ms', most: ASKED.whole });
    await tellTimes(checkpoint.file);
    const { rate } = await run(names);
    told(`of ${pictures} pictures, after the first`, { figure: rate, unit: 'a second', least: ASKED.batch });
  } finally {
    checkpoint.remove();
    await folder.remove();
  }
  await tellLevels(publishedNetworks(pattern));
  console.log(missed.length === 0 ? 'all as asked' : `not as asked: ${missed.join('; ')}`);
  if (missed.length > 0 && device !== 'cpu') process.exitCode = 1;
}

/** A task in a worker that is ready: ms from the task to its last result, and pictures a second after the first result. */
async function fileToFile(
  folder: string,
  names: readonly string[],
  modelFile: string,
): Promise<{ readonly whole: number; readonly rate: number }> {
  const pool = new WorkerPool(workerConfig({ forceCpu: false, device: device === 'cpu' ? 'cpu' : 'cuda' }), {
    isBackground: false,
  });
  try {
    await pool.warm();
    const task = { ...upscaleTask(folder, names, {}), modelFile, mayOverwrite: true };
    const [start, ends] = [performance.now(), [] as number[]];
    const [result] = await pool.run(task, { onResult: () => void ends.push(performance.now()) });
    const whole = performance.now() - start;
    console.log(
      `  ${names.length} pictures, ${whole.toFixed(0)} ms; the first: ${JSON.stringify(result?.info.seconds)}`,
    );
    for (const { reason } of result?.info.fallbacks ?? []) console.log(`  fell back: ${reason}`);
    const [first = start, last = start] = [ends.at(0), ends.at(-1)];
    return { whole, rate: ((ends.length - 1) / (last - first)) * 1000 };
  } finally {
    await pool.close();
  }
}

async function tellTimes(file: string): Promise<void> {
  const length = String(side);
  const measured: Times[] = [];
  for (let round = 0; round < rounds; round++) {
    const times = await measureInChild<Times>('times-child.ts', file, device, 'fp16', length);
    console.log(`  ${network} fp16 ${inWords(times)}`);
    measured.push(times);
  }
  const first = median(measured.map((times) => times.load + times.first));
  told('load and first run in a fresh process', { figure: first, unit: 'ms', most: ASKED.loadAndFirst });
  const peer = device === 'cuda' ? await measurePeer(file, 'fp16', length).catch(String) : 'not asked';
  console.log(`  PyTorch fp16 ${typeof peer === 'string' ? peer : inWords(peer)}`);
  if (typeof peer === 'string') return;
  const figure = median(measured.map(({ later }) => later)) / peer.later;
  told('later runs beside PyTorch', { figure, unit: 'of its time', most: ASKED.later });
}

/** Networks beside one another: nothing is timed. */
async function tellLevels(names: readonly string[]): Promise<void> {
  const left = [...names];
  const work = async (): Promise<void> => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) await tellLevelsOf(name);
  };
  await Promise.all(Array.from({ length: Math.max(1, availableParallelism() >> 2) }, work));
}

async function tellLevelsOf(name: string): Promise<void> {
  try {
    const levels = await measureInChild<Readonly<Record<'fp32' | 'fp16', Levels | undefined>>>(
      'levels-child.ts',
      name,
      device,
    );
    for (const numbers of ['fp32', 'fp16'] as const) {
      const { most, mean, warning } = levels[numbers] ?? {};
      if (most === undefined || mean === undefined) continue;
      const also = [`mean ${mean.toFixed(3)}`, warning].join(' ');
      told(`${name} ${numbers}`, { figure: most, unit: 'levels', most: ASKED[numbers], also });
    }
  } catch (error) {
    console.log(`${name}: ${String(error)}`);
    missed.push(name);
  }
}

interface Figure {
  readonly figure: number;
  readonly unit: string;
  /** How much is asked for at most, or at least. */
  readonly most?: number;
  readonly least?: number;
  readonly also?: string;
}

function told(what: string, { figure, unit, most, least, also = '' }: Figure): void {
  const isAsAsked = most === undefined ? figure >= (least ?? NaN) : figure <= most;
  if (!isAsAsked) missed.push(what);
  const bound = most === undefined ? `at least ${least}` : `at most ${most}`;
  const said = `${what.padEnd(40)} ${figure.toFixed(2)} ${unit} (asked: ${bound}) ${also}`;
  console.log(`${isAsAsked ? 'ok  ' : 'MISS'} ${said}`.trimEnd());
}
