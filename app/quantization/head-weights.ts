import type { TensorData } from '../checkpoints/safetensors-writer.ts';
import { GraphError } from '../onnx/errors.ts';
import type { ProtoInitializer } from '../onnx/model-proto.ts';
import type { ConvStep } from './dense-block.ts';
import type { EnlargingHead, HeadConv } from './enlarging-head.ts';
import { errorFeedback } from './error-feedback.ts';
import type { ConvNumbers, ReadWeights } from './folded-weights.ts';
import { roundWeights } from './folded-weights.ts';
import { BOTTOM, gainOf } from './head-bytes.ts';
import type { HeadNumbers, HeadOperands } from './head-numbers.ts';
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

/** The name of a convolution's numbers in an int8 form. @param row of those that enlarge, 0 or 1 */
export function headName(index: number, row: number): string {
  return `${HEAD}${index}.${row}`;
}

/** What the names of a head's tensors begin with. */
export const HEAD = 'int8.head.';
export const HEAD_INPUT = `${HEAD}input`;
/** Float32 [values]: the bytes that stand for nothing. */
export const HEAD_ZEROS = `${HEAD}zeros`;
export const HEAD_LAST = `${HEAD}last`;

/** The tensors of a head in an int8 form: of each convolution int8 weights, their scales, and biases. */
export function headTensors(
  head: EnlargingHead,
  recipe: HeadRecipe,
  { read, limit }: { readonly read: ReadWeights; readonly limit: number },
): Map<string, TensorData> {
  const input = Float32Array.from(recipe[0]?.scales ?? []);
  const zeros = Float32Array.from(recipe, ({ zero }) => zero);
  const tensors = new Map<string, TensorData>([
    [HEAD_INPUT, { shape: [input.length], dtype: 'float32', data: input }],
    [HEAD_ZEROS, { shape: [zeros.length], dtype: 'float32', data: zeros }],
  ]);
  const feedbacks = recipe.map(({ means, correlations }) => errorFeedback(Float64Array.from(means), correlations));
  for (const { name, shape, reads, ...numbers } of headParts(head, recipe, read)) {
    const { weight, scale, bias } = roundWeights(numbers, limit, feedbacks[reads]);
    const outputs = scale.length;
    const isLast = name === HEAD_LAST;
    const floats = Float32Array.from(numbers.bias);
    tensors.set(name, { shape, dtype: 'int8', data: isLast ? transposed(weight, outputs) : weight });
    tensors.set(`${name}.scale`, { shape: [outputs], dtype: 'float32', data: scale });
    tensors.set(
      `${name}.bias`,
      isLast ? { shape: [outputs], dtype: 'float32', data: floats } : { shape: [outputs], dtype: 'int32', data: bias },
    );
  }
  return tensors;
}

/** [outputs, inputs] as the factor of a product of matrices, [inputs, outputs]. */
export function transposed<T extends Int8Array | Float64Array>(weight: T, outputs: number): T {
  const inputs = weight.length / outputs;
  return weight.map((_, at) => weight[(at % outputs) * inputs + Math.floor(at / outputs)] ?? 0) as T;
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

/** Where the tensors of an int8 form are read. */
interface Source {
  readonly weight: (name: string, shape: readonly number[]) => ProtoInitializer;
  readonly floats: (name: string) => Float32Array;
  readonly bytes: (name: string) => Uint8Array;
}

/** The numbers of a head; undefined where a form leaves it in float32. */
export function headNumbers(
  tensors: ReadonlyMap<string, Pick<TensorData, 'shape' | 'dtype'>>,
  source: Source,
): HeadNumbers | undefined {
  if (!tensors.has(HEAD_INPUT)) return undefined;
  const tensor = (name: string): ProtoInitializer => {
    const { shape = [], dtype = '' } = tensors.get(name) ?? {};
    return { name, shape, type: dtype === 'int32' ? dtype : 'float32', data: source.bytes(name) };
  };
  const operands = (name: string): HeadOperands => {
    const weight = source.weight(name, tensors.get(name)?.shape ?? []);
    return { weight, scale: tensor(`${name}.scale`), bias: tensor(`${name}.bias`) };
  };
  const convs: HeadOperands[][] = [];
  for (let index = 0; tensors.has(headName(index, 0)); index++) {
    convs.push(
      [0, 1]
        .map((row) => headName(index, row))
        .filter((name) => tensors.has(name))
        .map(operands),
    );
  }
  return { input: source.floats(HEAD_INPUT), zeros: [...source.floats(HEAD_ZEROS)], convs, last: operands(HEAD_LAST) };
}
