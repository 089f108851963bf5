/**
 * A tile of 128 x 128 through a 23-block RRDBNet in fp32 and in int8, in turn in one process, and through whatever else is
 * installed in the Python of $PYTHON (torch, OpenVINO, ncnn with pnnx), in turn with them; then how long either form takes to
 * load, and what memory. What counts is the ratios: of the best, and the median of those of each round.
 */
import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { buildImageGraph } from '../../app/architectures/image-graph.ts';
import { recognise } from '../../app/architectures/registry.ts';
import { openCheckpoint } from '../../app/checkpoints/open-checkpoint.ts';
import { readTensor } from '../../app/checkpoints/read-tensor.ts';
import { proceduralScene } from '../../app/processing/int8/scene.ts';
import { Session, weightsFolderOf } from '../../app/inference/session.ts';
import { serializeModel } from '../../app/onnx/model-proto.ts';
import { CROP_SIDE } from '../../app/processing/int8/calibration-crops.ts';
import { watchedRuns } from '../../app/processing/int8/crop-runs.ts';
import { saveCalibration } from '../../app/processing/networks/int8-calibration.ts';
import { weightLimit } from '../../app/processing/networks/weight-limit.ts';
import { fidelityOf } from '../../app/quantization/fidelity.ts';
import { int8Graph } from '../../app/quantization/int8-graph.ts';
import { int8Tensors, numbersInMemory } from '../../app/quantization/int8-model.ts';
import { int8Recipe } from '../../app/quantization/int8-recipe.ts';
import { createHashedCheckpoint } from '../support/checkpoints/hashed-checkpoint.ts';
import { Peers } from './peers.ts';

/** The tile that all are measured on. */
const SIDE = 128;
const SHAPE = { width: SIDE, height: SIDE, channels: 3, depth: 8 } as const;

/** Milliseconds of each runtime, round by round. */
type Times = Map<string, number[]>;

const LOADS = 3;
const LOAD_KINDS = [
  ['fp32', 'warm'],
  ['int8', 'warm'],
  ['fp32', 'cold'],
  ['int8', 'cold'],
] as const;
const LOAD_CHILD = fileURLToPath(new URL('./load-child.ts', import.meta.url));
const ROUNDS = Number(process.argv[2] ?? 5);

const weights = createHashedCheckpoint('RealESRGAN_x4plus');
try {
  await tile(weights.file);
  await loading(weights.file);
} finally {
  weights.remove();
}

async function tile(checkpoint: string): Promise<void> {
  const limit = await weightLimit();
  print(`8-bit dot products (VNNI): ${limit === 127 ? 'yes' : 'no, weights are kept to 63'}`);
  const times: Times = new Map();
  const peers = await Peers.start('peers.py', checkpoint, String(SIDE));
  const { fp32, int8 } = await sessions(checkpoint, limit);
  const pixels = { type: 'uint8', data: proceduralScene(1, SIDE).data, dims: [SIDE, SIDE, 3] } as const;
  for (let round = 0; round < ROUNDS; round++) {
    await timed(times, 'fp32', () => fp32.run({ pixels }));
    await timed(times, 'int8', () => int8.run({ pixels }));
    for (const [name, ms] of Object.entries(await peers.round())) add(times, name, ms);
  }
  peers.stop();
  await fp32.release();
  await int8.release();
  for (const [name, list] of times) print(row(name, list, times.get('fp32') ?? []));
}

async function sessions(checkpoint: string, limit: 63 | 127): Promise<{ fp32: Session; int8: Session }> {
  const dict = openCheckpoint(checkpoint);
  const read = (name: string) => readTensor(dict, name);
  const options = { weightsFolder: weightsFolderOf(checkpoint), device: 'cpu' } as const;
  const scenes = [proceduralScene(0, CROP_SIDE)];
  const watched = await watchedRuns(recognise(dict), scenes, { ...options, meter: () => undefined });
  const tensors = int8Tensors(watched.parts, int8Recipe(watched, 1.6), { read, limit });
  await saveCalibration(checkpoint, tensors, {
    version: 2,
    weights_sha256: '0'.repeat(64), // of pseudo-random weights: for their speed only
    weight_limit: limit,
    calibrated_on: { source: 'scenes', crops: 1 },
    measured: fidelityOf([], 0),
  });
  const graph = () => buildImageGraph(recognise(dict), SHAPE);
  const int8 = await Session.open(serializeModel(int8Graph(graph(), numbersInMemory(tensors))), options);
  return { fp32: await Session.open(graph().serialize(), options), int8 };
}

/** In processes of their own, in turn; cold is with the files out of the page cache, where `dd` can put them out. */
async function loading(checkpoint: string): Promise<void> {
  const times: Times = new Map();
  const memory: Times = new Map();
  for (let load = 0; load < LOADS * LOAD_KINDS.length; load++) {
    const [form, state] = LOAD_KINDS[load % LOAD_KINDS.length] ?? ['fp32', 'warm'];
    if (state === 'cold') [checkpoint, `${checkpoint}.int8`].forEach(forget);
    const child = fork(LOAD_CHILD, [checkpoint, form, String(SIDE)], { execArgv: ['--import', 'tsx'] });
    const [found] = (await once(child, 'message')) as [{ ms: number; bytes: number }];
    await once(child, 'exit');
    add(times, `load ${form}, ${state}`, found.ms);
    add(memory, form, found.bytes);
  }
  for (const [form, state] of LOAD_KINDS) {
    print(
      row(`load ${form}, ${state}`, times.get(`load ${form}, ${state}`) ?? [], times.get(`load fp32, ${state}`) ?? []),
    );
  }
  const peak = (form: string): string => `${(Math.min(...(memory.get(form) ?? [])) / 2 ** 20).toFixed(0)} MB`;
  print(`peak memory of a process that loads and runs one tile: fp32 ${peak('fp32')}, int8 ${peak('int8')}`);
}

function forget(file: string): void {
  spawnSync('dd', [`of=${file}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0', 'status=none']);
}

async function timed(times: Times, name: string, run: () => Promise<unknown>): Promise<void> {
  const start = performance.now();
  await run();
  add(times, name, performance.now() - start);
}

function add(times: Times, name: string, ms: number): void {
  times.set(name, [...(times.get(name) ?? []), ms]);
}

function row(name: string, list: readonly number[], base: readonly number[]): string {
  const best = Math.min(...list) / Math.min(...base);
  const paired = list.map((ms, round) => ms / (base[round] ?? NaN)).sort((a, b) => a - b);
  const columns = [name.padEnd(22), `${Math.min(...list).toFixed(0)} ms`.padStart(9)];
  return [...columns, `of fp32: best ${best.toFixed(2)}, median ${Number(paired[paired.length >> 1]).toFixed(2)}`].join(
    '  ',
  );
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
