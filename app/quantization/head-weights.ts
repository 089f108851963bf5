import { GraphError } from '../onnx/errors.ts';
import type { ConvStep } from './dense-block.ts';
import type { EnlargingHead, HeadConv } from './enlarging-head.ts';
import type { ConvNumbers, ReadWeights } from './folded-weights.ts';
import { BOTTOM, gainOf } from './head-bytes.ts';
import { HEAD_LAST, headName } from './head-numbers.ts';
import type { HeadRecipe, HeadValueRecipe } from './head-recipe.ts';

/** Taps of a side of every kernel. */
export const TAPS = 3;

/** A convolution's numbers under a name, and the shape of its weights. */
export interface HeadPart extends ConvNumbers {
  readonly name: string;
  readonly shape: readonly number[];
  /** Which of the head's values it reads. */
  readonly reads: number;
}

/**
 * The convolutions of a head with scales folded in, not rounded. One that enlarges is two, for the upper and the lower of two rows, which
 * make the left and the right of two pixels as further channels: what is repeated is never made, and the taps that read the same pixel are
 * one. Exact.
 */
export function headParts({ convs, last }: EnlargingHead, recipe: HeadRecipe, read: ReadWeights): HeadPart[] {
  const parts = convs.flatMap((conv, index) => {
    const channels = conv.weight.shape[0] ?? 0;
    const from = bytesRead(recipe[index], conv.weight.shape[1] ?? 0, convs[index - 1]?.slope ?? 1);
    const to = { channels, units: signed(recipe[index + 1], channels, 1) };
    return partsOf({ conv, from, to }, read).map((part, row) => ({
      ...part,
      name: headName(index, row),
      reads: index,
    }));
  });
  const from = bytesRead(recipe[convs.length], last.weight.shape[1] ?? 0, convs.at(-1)?.slope ?? 1);
  return [...parts, { ...lastPart(last, from, read), reads: convs.length }];
}

/** What a step of each byte stands for: [channels], or [2 * channels], those above zero and those below. */
interface Bytes {
  readonly channels: number;
  readonly units: readonly number[];
}

/** A convolution, and the bytes that it reads and makes. */
interface Written {
  readonly conv: HeadConv;
  readonly from: Bytes;
  readonly to: Bytes;
}

/** What a convolution reads. @param slope of the leaky ReLU before it */
function bytesRead(value: HeadValueRecipe | undefined, channels: number, slope: number): Bytes {
  if (!value) throw new GraphError('a recipe of another head');
  return { channels, units: signed(value, channels, slope).map((unit) => unit / gainOf(value)) };
}

/** What a step stands for; of channels with two bytes, `slope` times as much below zero, and less than nothing. */
function signed(value: HeadValueRecipe | undefined, channels: number, slope: number): number[] {
  const { zero = 0, scales = [] } = value ?? {};
  const expected = zero === BOTTOM ? 2 * channels : channels;
  if (scales.length !== expected)
    throw new GraphError(`a recipe of ${scales.length} scales where ${expected} are read`);
  return scales.map((scale, at) => (at < channels ? scale : -slope * scale));
}

/** Of the taps of a kernel along one side, those that read the same pixel. */
type Gathered = readonly (readonly number[])[];

const PLAIN: Gathered = [[0], [1], [2]];
/** The same for the first and the second of two pixels that were one before. */
const DOUBLED: readonly Gathered[] = [
  [[0], [1, 2], []],
  [[], [0, 1], [2]],
];

function partsOf(written: Written, read: ReadWeights): Omit<HeadPart, 'name' | 'reads'>[] {
  if (!written.conv.isDoubled) return [partOf(written, { rows: PLAIN, columns: [PLAIN] }, read)];
  return DOUBLED.map((rows) => {
    return partOf(written, { rows: rows.filter((taps) => taps.length > 0), columns: DOUBLED }, read);
  });
}

/** @param columns of every pixel that is made of one */
function partOf(
  { conv, from, to }: Written,
  { rows, columns }: { readonly rows: Gathered; readonly columns: readonly Gathered[] },
  read: ReadWeights,
): Omit<HeadPart, 'name' | 'reads'> {
  const own = read(conv.weight.name);
  const biases = conv.bias && read(conv.bias.name);
  const kernel = (output: number, input: number, places: Gathered): number[] => {
    const first = ((output % to.channels) * from.channels + (input % from.channels)) * TAPS ** 2;
    const factor = (from.units[input] ?? 0) / (to.units[output] ?? 1);
    return rows.flatMap((down) =>
      places.map((across) => {
        const taps = down.flatMap((row) => across.map((column) => own[first + row * TAPS + column] ?? 0));
        return taps.reduce((sum, tap) => sum + tap, 0) * factor;
      }),
    );
  };
  const weight = columns.flatMap((places) =>
    to.units.flatMap((_, output) => from.units.flatMap((_unit, input) => kernel(output, input, places))),
  );
  const bias = columns.flatMap(() => to.units.map((unit, output) => (biases?.[output % to.channels] ?? 0) / unit));
  const shape = [bias.length, from.units.length, rows.length, TAPS];
  return { weight: Float64Array.from(weight), bias: Float64Array.from(bias), taps: rows.length * TAPS, shape };
}

/** The last convolution as a product of matrices: what each byte of a pixel counts for each tap and channel of the picture. */
function lastPart({ weight, bias }: ConvStep, { channels, units }: Bytes, read: ReadWeights): Omit<HeadPart, 'reads'> {
  const [own, colors, taps] = [read(weight.name), weight.shape[0] ?? 0, TAPS ** 2];
  const biases = bias && read(bias.name);
  const products = Array.from({ length: taps * colors }, (_, at) => {
    const [tap, color] = [Math.floor(at / colors), at % colors];
    return units.map((unit, input) => (own[(color * channels + (input % channels)) * taps + tap] ?? 0) * unit);
  });
  const middle = (taps - 1) / 2;
  const added = Float64Array.from(products, (_, at) => {
    return Math.floor(at / colors) === middle ? (biases?.[at % colors] ?? 0) : 0;
  });
  const shape = [units.length, products.length];
  return { name: HEAD_LAST, weight: Float64Array.from(products.flat()), bias: added, taps: 1, shape };
}
