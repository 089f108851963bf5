import { readTensor } from '../checkpoints/read-tensor.ts';
import { ByteFile } from '../checkpoints/byte-file.ts';
import type { TensorData } from '../checkpoints/safetensors-writer.ts';
import type { StateDict } from '../checkpoints/state-dict.ts';
import { elementCount } from '../checkpoints/tensor-layout.ts';
import { GraphError, WeightsError } from '../onnx/errors.ts';
import { Weights } from '../onnx/weights.ts';
import { errorFeedback } from './error-feedback.ts';
import type { ReadWeights, RoundedConv } from './folded-weights.ts';
import { convsOf, foldScales, roundWeights } from './folded-weights.ts';
import { HEAD } from './head-numbers.ts';
import { headNumbers, headTensors } from './head-tensors.ts';
import type { Int8Parts } from './int8-graph.ts';
import type { Int8Numbers, NumberSource } from './int8-numbers.ts';
import type { Int8Recipe } from './int8-recipe.ts';
import { scalesOf } from './int8-recipe.ts';

/** The tensors of an int8 form, by name: int8 weights under their names in the checkpoint, and four more. */
export type Int8Tensors = ReadonlyMap<string, TensorData>;

/** Float32 [channels]. */
const TRUNK = 'int8.trunk';
/** Float32 [dense blocks, 2]: the steps of their inputs and outputs. */
const STEPS = 'int8.steps';
/** Float32 and int32 [output channels of all convolutions], in the order of the weights: one tensor loads faster than hundreds. */
const SCALES = 'int8.scales';
const BIASES = 'int8.biases';

/**
 * The numbers that replace those of the dense blocks, and of the head where the recipe has its scales.
 * @param limit the largest magnitude of a weight (`roundWeights`)
 * @throws GraphError where the recipe is another network's
 */
export function int8Tensors(
  { blocks, head }: Int8Parts,
  recipe: Int8Recipe,
  { read, limit }: { readonly read: ReadWeights; readonly limit: number },
): Int8Tensors {
  const weights = new Map<string, TensorData>();
  const rounded: RoundedConv[] = [];
  scalesOf(recipe, blocks).forEach((scales, index) => {
    const [block, own] = [blocks[index], recipe.blocks[index]];
    const feedback = own && errorFeedback(Float64Array.from(own.means), own.correlations);
    for (const conv of block ? convsOf(block) : []) {
      const [height, width] = conv.weight.shape.slice(2);
      const isFed = height === 3 && width === 3;
      const numbers = roundWeights(foldScales(conv, scales, read), limit, isFed ? feedback : undefined);
      weights.set(conv.weight.name, { shape: conv.weight.shape, dtype: 'int8', data: numbers.weight });
      rounded.push(numbers);
    }
  });
  const trunk = Float32Array.from(recipe.trunk);
  const steps = Float32Array.from(recipe.blocks.flatMap(({ input, output }) => [input, output]));
  const allScales = Float32Array.from(rounded.flatMap(({ scale }) => [...scale]));
  const allBiases = Int32Array.from(rounded.flatMap(({ bias }) => [...bias]));
  return new Map([
    [TRUNK, { shape: [trunk.length], dtype: 'float32', data: trunk }],
    [STEPS, { shape: [recipe.blocks.length, 2], dtype: 'float32', data: steps }],
    [SCALES, { shape: [allScales.length], dtype: 'float32', data: allScales }],
    [BIASES, { shape: [allBiases.length], dtype: 'int32', data: allBiases }],
    ...weights,
    ...(head && recipe.head ? headTensors(head, recipe.head, { read, limit }) : []),
  ]);
}

/** Numbers that are in memory. */
export function numbersInMemory(tensors: Int8Tensors): Int8Numbers {
  const bytes = (name: string): Uint8Array => {
    const data = tensors.get(name)?.data;
    if (!data) throw new GraphError(`${name}: has no int8 form`);
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  };
  return numbersOf(tensors, {
    weight: (name, shape) => ({ name, type: 'int8', shape, data: bytes(name) }),
    floats: (name) => tensors.get(name)?.data as Float32Array,
    bytes,
  });
}

/** Numbers of a file, whose weights the runtime reads where they lie. @throws CheckpointError, WeightsError */
export function numbersInFile(dict: StateDict): Int8Numbers {
  const weights = Weights.of(dict);
  return numbersOf(dict.tensors, { ...readingFrom(dict), weight: (name, shape) => weights.take(name, shape) });
}

/** Numbers of a file that lies elsewhere than the checkpoint, and so is read whole. @throws CheckpointError, WeightsError */
export function numbersReadFrom(dict: StateDict): Int8Numbers {
  const reading = readingFrom(dict);
  return numbersOf(dict.tensors, {
    ...reading,
    weight: (name, shape) => ({ name, type: 'int8', shape, data: reading.bytes(name) }),
  });
}

function readingFrom(dict: StateDict): Pick<NumberSource, 'floats' | 'bytes'> {
  const weights = Weights.of(dict);
  return {
    floats: (name) => readTensor(dict, name),
    bytes: (name) => {
      const { shape, type, data } = weights.take(name);
      if (data instanceof Uint8Array) return data;
      const width = type === 'int8' ? 1 : 4;
      return ByteFile.with(dict.file, (file) => file.read(data.offset, width * elementCount(shape)));
    },
  };
}

function numbersOf(
  tensors: ReadonlyMap<string, Pick<TensorData, 'shape' | 'dtype'>>,
  { weight, floats, bytes }: NumberSource,
): Int8Numbers {
  const steps = floats(STEPS);
  const [scales, biases] = [bytes(SCALES), bytes(BIASES)];
  const head = headNumbers(tensors, { weight, floats, bytes });
  const firstChannels = new Map<string, number>();
  let channels = 0;
  for (const [name, { shape, dtype }] of tensors) {
    if (dtype !== 'int8' || name.startsWith(HEAD)) continue;
    firstChannels.set(name, channels);
    channels += shape[0] ?? 0;
  }
  if (scales.length !== 4 * channels || biases.length !== 4 * channels) {
    throw new WeightsError(`${SCALES}, ${BIASES}: expected ${channels} numbers each`);
  }
  return {
    trunk: floats(TRUNK),
    ...(head && { head }),
    blocks: Array.from({ length: steps.length >> 1 }, (_, index) => ({
      input: steps[2 * index] ?? 0,
      output: steps[2 * index + 1] ?? 0,
    })),
    operands: ({ weight: { name, shape } }) => {
      const [first, outputs] = [firstChannels.get(name) ?? 0, shape[0] ?? 0];
      const part = (all: Uint8Array): Uint8Array => all.subarray(4 * first, 4 * (first + outputs));
      return {
        weight: weight(name, shape),
        scale: { name: `${name}.scale`, type: 'float32', shape: [outputs], data: part(scales) },
        bias: { name: `${name}.bias`, type: 'int32', shape: [outputs], data: part(biases) },
      };
    },
  };
}
