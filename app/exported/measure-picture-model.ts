import { halfToNumber } from '../checkpoints/read-tensor.ts';
import type { Session, Tensor } from '../inference/session.ts';
import type { PictureModel } from './picture-model.ts';
import { LEAST_SIDE } from './picture-model.ts';
import type { PictureSize } from './picture-tensor.ts';
import { pictureTensor } from './picture-tensor.ts';

/** A model that was run once. */
export type TriedModel = Omit<PictureModel, 'needs'>;

/** A run that has been made, by which it is told what others will take. */
export interface RunCost {
  readonly pixels: number;
  readonly cpuMs: number;
  readonly wallMs: number;
  /** What the process has taken for it and kept. */
  readonly bytes: number;
}

/** How far a model may be found to see, tried in turn: what is seen in three quarters of it was all there is to see. */
const REACHES = [32, 64, 96];
const SURE = 3 / 4;
/** Beyond these no run is begun. The process has 16 s of work, 30 s and 300 MB (`CheckpointInspector`). */
const MOST: Omit<RunCost, 'pixels'> = { cpuMs: 4000, wallMs: 8000, bytes: 96 * 2 ** 20 };
/** Of full brightness: a part of a level of 8 bits. Other pictures change more than this one does, and so as much again as a half is added. */
const UNSEEN = 1 / 64 / 255;
const HALO_MARGIN = 1.5;
/** The runtime keeps more of a large tile than of a small one. */
const BYTES_MARGIN = 1.25;

/** Runs a model, and says what that took. */
export async function costOf<T>(run: () => Promise<T>): Promise<{ result: T; cost: Omit<RunCost, 'pixels'> }> {
  const [wall, cpu, resident] = [Date.now(), process.cpuUsage(), process.memoryUsage.rss()];
  const result = await run();
  const { user, system } = process.cpuUsage(cpu);
  const bytes = Math.max(0, process.memoryUsage.rss() - resident);
  return { result, cost: { cpuMs: (user + system) / 1000, wallMs: Date.now() - wall, bytes } };
}

/**
 * How far a model sees, and what memory its runs take, by having it enlarge a strip twice: the same on the left, another picture on the
 * right. As far from the seam as the results differ, the model sees; nothing is said of that where it would take too long, or where
 * there is no end to it. Memory that was free within the process before is not seen, so what is said of that is the least.
 * @param first the run that was made before
 */
export async function measureNeeds(
  session: Session,
  model: TriedModel,
  first: RunCost,
): Promise<PictureModel['needs']> {
  let before = first;
  for (const reach of REACHES) {
    const size = stripOf(model, reach);
    const pixels = size.width * size.height;
    if (!isWithin(before, pixels)) break;
    const { result: seen, cost } = await costOf(() => reachSeen(session, model, size));
    before = { pixels, cpuMs: cost.cpuMs / 2, wallMs: cost.wallMs / 2, bytes: before.bytes + cost.bytes }; // which is taken again
    const isAll = seen <= (SURE * size.width) / 2;
    if (isAll)
      return { ...memoryOf(before), halo: Math.ceil((HALO_MARGIN * seen) / model.multipleOf) * model.multipleOf };
    if (model.width !== null) break;
  }
  return memoryOf(before);
}

function memoryOf({ pixels, bytes }: RunCost): Pick<PictureModel['needs'], 'workingBytesPerPixel'> {
  return { workingBytesPerPixel: Math.ceil((BYTES_MARGIN * bytes) / pixels) };
}

/** Whether two runs of so many pixels are within bounds, as a run before tells. */
function isWithin({ pixels, cpuMs, wallMs, bytes }: RunCost, next: number): boolean {
  const times = next / pixels;
  return 2 * cpuMs * times <= MOST.cpuMs && 2 * wallMs * times <= MOST.wallMs && bytes * times <= MOST.bytes;
}

/** A strip twice as wide as what is looked for, as low as the model takes one. */
function stripOf({ width, height, multipleOf }: TriedModel, reach: number): PictureSize {
  const taken = (side: number): number => Math.ceil(side / multipleOf) * multipleOf;
  return { width: width ?? 2 * taken(reach), height: height ?? taken(LEAST_SIDE) };
}

/** In pixels of the picture that goes in. */
async function reachSeen(session: Session, model: TriedModel, size: PictureSize): Promise<number> {
  const seam = Math.floor(size.width / 2);
  const [plain, changed] = [
    await session.run({ [model.input.name]: pictureTensor(model.input, size) }),
    await session.run({ [model.input.name]: pictureTensor(model.input, { ...size, invertedFrom: seam }) }),
  ].map((outputs) => outputs[model.output.name]);
  if (!plain || !changed) return size.width;
  const column = firstColumnApart(plain, changed, model);
  return Math.max(0, seam - Math.floor(column / model.scale));
}

/** The leftmost column in which two results differ visibly; the width where none does. */
function firstColumnApart(one: Tensor, other: Tensor, { output: { layout, channels, full } }: TriedModel): number {
  const width = (layout === 'nchw' ? one.dims[3] : one.dims[2]) ?? 0;
  const numbers = numbersOf(one);
  const others = numbersOf(other);
  const columnOf = (i: number): number => (layout === 'nchw' ? i : Math.floor(i / channels)) % width;
  return numbers.reduce((least, value, i) => {
    const isApart = !(Math.abs(value - (others[i] ?? NaN)) <= UNSEEN * full);
    return isApart ? Math.min(least, columnOf(i)) : least;
  }, width);
}

function numbersOf({ type, data }: Tensor): readonly number[] {
  const values = Array.from(data as ArrayLike<number>);
  return type === 'float16' ? values.map(halfToNumber) : values;
}
