import { GraphError } from '../onnx/errors.ts';
import type { DenseBlock } from './dense-block.ts';
import type { Ranges } from './ranges.ts';

/** The smallest scale in a convolution's output, as a share of the largest: channels that calibration never moved may move. */
const MIN_SHARE = 0.05;
/** The same for the channels of the trunk. */
const MIN_TRUNK_SHARE = 0.01;
/** Of a block that does nothing: its scales must still be numbers to divide by. */
const MIN_SCALE = 1e-8;

/** How the values of one dense block are written in 8 bits: a byte q of channel c stands for `scale[c] * (q - 128)`. */
export interface BlockScales {
  /** Of the block's input: times the trunk's scales, by channel. */
  readonly input: number;
  /** Of what the last convolution makes: times the trunk's scales, by channel. */
  readonly output: number;
  /** By the name of the value, of everything in the block that is bytes. */
  readonly values: ReadonlyMap<string, Float64Array>;
}

export interface TrunkScales {
  /** What every channel of the trunk is divided by. */
  readonly trunk: Float32Array;
  readonly blocks: readonly BlockScales[];
}

/**
 * Scales out of ranges: one step for a whole tensor (which is all that the operators take), but by channel where the
 * weights of the next convolution can carry the difference.
 * @param margin by how much they reach beyond what was seen: clipping costs more than coarse steps
 */
export function trunkScales(blocks: readonly DenseBlock[], ranges: Ranges, margin: number): TrunkScales {
  const trunk = sharedScales(blocks.map(({ input }) => ranges.magnitudes(input)));
  return { trunk, blocks: blocks.map((block) => seenScales(block, trunk, { ranges, margin })) };
}

/** The geometric mean of the blocks' magnitudes by channel, each relative to its own block's mean. */
function sharedScales(magnitudes: readonly Float64Array[]): Float32Array {
  const relative = magnitudes.map((block) => {
    const mean = block.reduce((sum, value) => sum + value, 0) / block.length;
    return block.map((value) => Math.max(mean === 0 ? 1 : value / mean, MIN_TRUNK_SHARE));
  });
  return Float32Array.from(relative[0] ?? [], (_, channel) => {
    const logs = relative.reduce((sum, block) => sum + Math.log(block[channel] ?? 1), 0);
    return Math.exp(logs / relative.length);
  });
}

interface Room {
  readonly ranges: Ranges;
  readonly margin: number;
}

function seenScales(block: DenseBlock, trunk: Float32Array, room: Room): BlockScales {
  const { ranges, margin } = room;
  const step = (value: string, reach: number): number => {
    const ratios = ranges.magnitudes(value).map((most, channel) => most / (trunk[channel] ?? 1));
    return Math.fround(Math.max((reach * Math.max(...ratios)) / 127, MIN_SCALE));
  };
  const convs = new Map<string, Float64Array>();
  for (const made of block.steps) {
    if (made.kind !== 'conv' || made === block.last) continue;
    convs.set(made.output, convScales(made.output, isRelu(block, made.output), room));
  }
  return blockScales(block, trunk, { input: step(block.input, margin), output: step(block.last.output, 1), convs });
}

/** What scales of a block's values follow from. */
interface OwnScales extends Pick<BlockScales, 'input' | 'output'> {
  /** By the name of the value, of what every convolution but the last makes. */
  readonly convs: ReadonlyMap<string, Float64Array>;
}

/** The scales of all values of a block: they go along with channels through activations and Concat. */
export function blockScales(block: DenseBlock, trunk: Float32Array, { input, output, convs }: OwnScales): BlockScales {
  const values = new Map<string, Float64Array>([[block.input, Float64Array.from(trunk, (scale) => input * scale)]]);
  const scalesOf = (scales: ReadonlyMap<string, Float64Array>, value: string): Float64Array => {
    const found = scales.get(value);
    if (!found) throw new GraphError(`${value} is used in a dense block, but not made in it`);
    return found;
  };
  for (const step of block.steps) {
    if (step === block.last) values.set(step.output, Float64Array.from(trunk));
    else if (step.kind === 'conv') values.set(step.output, scalesOf(convs, step.output));
    else if (step.kind === 'activation') values.set(step.output, scalesOf(values, step.input));
    else values.set(step.output, Float64Array.from(step.inputs.flatMap((value) => [...scalesOf(values, value)])));
  }
  return { input, output, values };
}

/** Of what a convolution makes before its activation, both sides of zero; of a plain ReLU only what is above counts. */
function convScales(value: string, isPositive: boolean, { ranges, margin }: Room): Float64Array {
  const { low, high } = ranges.of(value);
  const scales = Float64Array.from(high, (most, channel) => {
    const negative = isPositive ? 0 : -(low[channel] ?? 0) / 128;
    return margin * Math.max(most / 127, negative, 0);
  });
  const least = Math.max(MIN_SHARE * Math.max(...scales), MIN_SCALE);
  return scales.map((scale) => Math.max(scale, least));
}

function isRelu({ steps }: DenseBlock, value: string): boolean {
  return steps.some((step) => step.kind === 'activation' && step.input === value && step.slope === 0);
}
