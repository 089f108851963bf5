import { tensorGraph } from '../../../app/architectures/tensor-graph.ts';
import type { RecognisedNetwork } from '../../../app/architectures/registry.ts';
import type { SessionDevice } from '../../../app/inference/devices.ts';
import type { Tensor } from '../../../app/inference/session.ts';
import { weightsFolderOf } from '../../../app/inference/session.ts';
import { checkpointSessions } from '../../../app/processing/networks/checkpoint-sessions.ts';
import type { PixelSession, SessionKey } from '../../../app/processing/networks/network-runner.ts';
import { NetworkSession } from '../../../app/processing/networks/network-session.ts';
import { targetOf } from '../../../app/processing/networks/forms/graph-forms.ts';
import { openNetwork } from '../../../app/processing/networks/open-network.ts';

export type Numbers = 'fp32' | 'fp16';

/** What a device made of a picture, beside what the CPU makes of it in fp32, in levels of 255. */
export interface Levels {
  readonly most: number;
  readonly mean: number;
  readonly warning?: string | undefined;
}

/** A side that the CPU runs in a moment. */
const COMPARED_SIDE = 64;

/** Opens sessions of a checkpoint's network as an upscale does, on any device in the numbers asked for. */
export function openPixels(
  checkpoint: string,
  side: number,
  numbers: Numbers,
  device: SessionDevice,
): Promise<PixelSession> {
  const precision = { asked: numbers, isHalfOnCpu: true };
  const open = checkpointSessions(openNetwork(checkpoint), {
    weightsFolder: weightsFolderOf(checkpoint),
    precisionFor: () => precision,
  });
  return open(keyOf(side), device);
}

/** A picture of noise, as `pixels` of a session of `openPixels`. */
export function noisePixels(side: number): Tensor {
  return { type: 'uint8', data: Uint8Array.from({ length: side * side * 3 }, noiseAt), dims: [side, side, 3] };
}

/** How far a network is from the CPU's fp32: pictures by their samples, what finds or colours by its numbers as a share of their span. */
export async function levelsOf(checkpoint: string, numbers: Numbers, device: SessionDevice): Promise<Levels> {
  const network = openNetwork(checkpoint);
  const answer = network.role === undefined ? pixelsOf : tensorsOf;
  const here = await answer(checkpoint, numbers, device);
  const there = await answer(checkpoint, 'fp32', 'cpu');
  const unit = network.role === undefined ? 1 : spanOf(there.values) / 255;
  const apart = there.values.map((value, index) => Math.abs(value - (here.values[index] ?? NaN)) / unit);
  if (apart.length !== here.values.length) throw new RangeError('the devices give answers of two sizes');
  return {
    most: apart.reduce((most, one) => (one > most || Number.isNaN(one) ? one : most), 0),
    mean: apart.reduce((sum, one) => sum + one, 0) / apart.length,
    warning: here.warning,
  };
}

interface Answer {
  readonly values: Float64Array;
  readonly warning?: string | undefined;
}

async function pixelsOf(checkpoint: string, numbers: Numbers, device: SessionDevice): Promise<Answer> {
  const session = await openPixels(checkpoint, COMPARED_SIDE, numbers, device);
  const { pixels_out: output } = await session.run({ pixels: noisePixels(COMPARED_SIDE) });
  const { warning } = session;
  await session.release();
  return { values: Float64Array.from(output?.data ?? [], Number), warning };
}

async function tensorsOf(checkpoint: string, _numbers: Numbers, device: SessionDevice): Promise<Answer> {
  const network = openNetwork(checkpoint);
  const side = network.side ?? Math.max(COMPARED_SIDE, network.multipleOf);
  const dims = [1, network.inputChannels, side, side] as const;
  const build = (one: RecognisedNetwork) => tensorGraph(one, dims, targetOf(device));
  const session = await NetworkSession.open({ file: checkpoint, build, devices: [device] });
  const outputs = await session.run({ input: noiseTensor(dims), ...scalarsOf(network) });
  const [warning] = session.warnings;
  await session.close();
  const values = Object.values(outputs).flatMap(({ data }) => Array.from<number | bigint, number>(data, Number));
  return { values: Float64Array.from(values), warning };
}

function keyOf(side: number): SessionKey {
  return { channels: 3, depth: 8, width: side, height: side, isOpaque: true, views: 1, isWidened: false };
}

function noiseTensor(dims: readonly number[]): Tensor {
  const data = Float32Array.from({ length: dims.reduce((a, b) => a * b) }, (_, index) => noiseAt(_, index) / 255);
  return { type: 'float32', data, dims };
}

function scalarsOf({ scalars = {} }: RecognisedNetwork): Readonly<Record<string, Tensor>> {
  const tensors = Object.entries(scalars).map(([name, preset]): [string, Tensor] => [
    name,
    { type: 'float32', data: Float32Array.of(preset), dims: [1] },
  ]);
  return Object.fromEntries(tensors);
}

function noiseAt(_: unknown, index: number): number {
  return Math.imul(index, 2654435761) >>> 24;
}

function spanOf(values: Float64Array): number {
  let [least, most] = [Infinity, -Infinity];
  for (const value of values) [least, most] = [Math.min(least, value), Math.max(most, value)];
  return most - least;
}
