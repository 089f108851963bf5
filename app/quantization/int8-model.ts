import { readTensor } from '../checkpoints/read-tensor.ts';
import type { TensorData } from '../checkpoints/safetensors-writer.ts';
import type { StateDict } from '../checkpoints/state-dict.ts';
import { GraphError } from '../onnx/errors.ts';
import type { ProtoInitializer } from '../onnx/model-proto.ts';
import { Weights } from '../onnx/weights.ts';
import type { DenseBlock } from './dense-block.ts';
import type { ReadWeights } from './folded-weights.ts';
import { convsOf, foldScales, roundWeights } from './folded-weights.ts';
import type { Int8Numbers } from './int8-numbers.ts';
import type { Ranges } from './ranges.ts';
import { trunkScales } from './scales.ts';

/** The tensors of an int8 form, by name; a convolution's own carry the name of its weight in the checkpoint. */
export type Int8Tensors = ReadonlyMap<string, TensorData & { readonly dtype: 'float32' | 'int8' | 'int32' }>;

/** Float32 [channels]. */
const TRUNK = 'int8.trunk';
/** Float32 [dense blocks, 2]: the steps of their inputs and outputs. */
const STEPS = 'int8.steps';
const scaleOf = (weight: string): string => `${weight}.scale`;
const biasOf = (weight: string): string => `${weight}.bias`;

/**
 * The numbers that replace those of the dense blocks.
 * `limit` is the largest magnitude of a weight (`roundWeights`), `margin` that of `trunkScales`.
 */
export function int8Tensors(
  blocks: readonly DenseBlock[],
  ranges: Ranges,
  { read, limit, margin }: { readonly read: ReadWeights; readonly limit: number; readonly margin: number },
): Int8Tensors {
  const { trunk, blocks: scales } = trunkScales(blocks, ranges, margin);
  const steps = Float32Array.from(scales.flatMap(({ input, output }) => [input, output]));
  const tensors = new Map<string, TensorData & { readonly dtype: 'float32' | 'int8' | 'int32' }>([
    [TRUNK, { shape: [trunk.length], dtype: 'float32', data: trunk }],
    [STEPS, { shape: [scales.length, 2], dtype: 'float32', data: steps }],
  ]);
  blocks.forEach((block, index) => {
    const blockScales = scales[index];
    if (!blockScales) throw new GraphError(`there are no scales for dense block ${index}`);
    for (const conv of convsOf(block)) {
      const { name, shape } = conv.weight;
      const { weight, scale, bias } = roundWeights(foldScales(conv, blockScales, read), limit);
      tensors.set(name, { shape, dtype: 'int8', data: weight });
      tensors.set(scaleOf(name), { shape: [scale.length], dtype: 'float32', data: scale });
      tensors.set(biasOf(name), { shape: [bias.length], dtype: 'int32', data: bias });
    }
  });
  return tensors;
}

/** Numbers that are in memory. */
export function numbersInMemory(tensors: Int8Tensors): Int8Numbers {
  const held = (name: string) => {
    const tensor = tensors.get(name);
    if (!tensor) throw new GraphError(`${name}: has no int8 form`);
    return tensor;
  };
  const take = (name: string): ProtoInitializer => {
    const { shape, dtype: type, data } = held(name);
    return { name, type, shape, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
  };
  return numbersOf(take, (name) => held(name).data as Float32Array);
}

/** Numbers of a file, which the runtime reads where they lie. @throws CheckpointError, WeightsError */
export function numbersInFile(dict: StateDict): Int8Numbers {
  const weights = Weights.of(dict);
  return numbersOf(
    (name, shape) => weights.take(name, shape),
    (name) => readTensor(dict, name),
  );
}

function numbersOf(
  take: (name: string, shape: readonly number[]) => ProtoInitializer,
  floats: (name: string) => Float32Array,
): Int8Numbers {
  const steps = floats(STEPS);
  return {
    trunk: floats(TRUNK),
    blocks: Array.from({ length: steps.length >> 1 }, (_, index) => ({
      input: steps[2 * index] ?? 0,
      output: steps[2 * index + 1] ?? 0,
    })),
    operands: ({ weight: { name, shape } }) => {
      const outputs = [shape[0] ?? 0];
      return { weight: take(name, shape), scale: take(scaleOf(name), outputs), bias: take(biasOf(name), outputs) };
    },
  };
}
