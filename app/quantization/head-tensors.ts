import type { TensorData } from '../checkpoints/safetensors-writer.ts';
import type { ProtoInitializer } from '../onnx/model-proto.ts';
import type { EnlargingHead } from './enlarging-head.ts';
import { errorFeedback } from './error-feedback.ts';
import type { ReadWeights } from './folded-weights.ts';
import { roundWeights } from './folded-weights.ts';
import type { HeadNumbers, HeadOperands } from './head-numbers.ts';
import { HEAD_INPUT, HEAD_LAST, HEAD_ZEROS, headName } from './head-numbers.ts';
import type { HeadRecipe } from './head-recipe.ts';
import { headParts } from './head-weights.ts';
import type { NumberSource } from './int8-numbers.ts';

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

/** The numbers of a head; undefined where a form leaves it in float32. */
export function headNumbers(
  tensors: ReadonlyMap<string, Pick<TensorData, 'shape' | 'dtype'>>,
  source: NumberSource,
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
