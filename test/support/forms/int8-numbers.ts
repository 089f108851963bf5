import { recognise } from '../../../app/architectures/registry.ts';
import { openCheckpoint } from '../../../app/checkpoints/open-checkpoint.ts';
import { readTensor } from '../../../app/checkpoints/read-tensor.ts';
import { proceduralScene } from '../../../app/processing/int8/scene.ts';
import { weightsFolderOf } from '../../../app/inference/session.ts';
import type { ProtoInitializer } from '../../../app/onnx/model-proto.ts';
import { CROP_SIDE } from '../../../app/processing/int8/calibration-crops.ts';
import { watchedRuns } from '../../../app/processing/int8/crop-runs.ts';
import { weightLimit } from '../../../app/processing/networks/weight-limit.ts';
import type { EnlargingHead } from '../../../app/quantization/enlarging-head.ts';
import type { ReadWeights } from '../../../app/quantization/folded-weights.ts';
import { convsOf, foldScales } from '../../../app/quantization/folded-weights.ts';
import type { HeadNumbers, HeadOperands } from '../../../app/quantization/head-numbers.ts';
import type { HeadRecipe } from '../../../app/quantization/head-recipe.ts';
import { HEAD_LAST, headName } from '../../../app/quantization/head-numbers.ts';
import { transposed } from '../../../app/quantization/head-tensors.ts';
import { headParts } from '../../../app/quantization/head-weights.ts';
import { int8Tensors, numbersInMemory } from '../../../app/quantization/int8-model.ts';
import type { Int8Numbers } from '../../../app/quantization/int8-numbers.ts';
import type { Int8Recipe } from '../../../app/quantization/int8-recipe.ts';
import { int8Recipe, scalesOf } from '../../../app/quantization/int8-recipe.ts';

/** Of a single scene. */
const MARGIN = 1.6;

/** The int8 form of a checkpoint's network, calibrated on one scene. */
export async function int8NumbersOf(checkpoint: string): Promise<Int8Numbers> {
  const { parts, recipe, read } = await calibrated(checkpoint);
  return numbersInMemory(int8Tensors(parts, recipe, { read, limit: await weightLimit() }));
}

/** The same with the weights folded, but not rounded: float32. */
export async function unroundedNumbersOf(checkpoint: string): Promise<Int8Numbers> {
  const { parts, recipe, read } = await calibrated(checkpoint);
  const { blocks, head } = parts;
  const scales = scalesOf(recipe, blocks);
  const operands = new Map<string, ReturnType<Int8Numbers['operands']>>();
  blocks.forEach((block, index) => {
    const blockScales = scales[index];
    if (!blockScales) throw new Error('there is a block without scales');
    for (const conv of convsOf(block)) {
      const { weight, bias } = foldScales(conv, blockScales, read);
      const { name, shape } = conv.weight;
      operands.set(name, {
        weight: floats(name, shape, weight),
        scale: floats(
          `${name}.scale`,
          [bias.length],
          bias.map(() => 1),
        ),
        bias: floats(`${name}.bias`, [bias.length], bias),
      });
    }
  });
  return {
    trunk: Float32Array.from(recipe.trunk),
    blocks: recipe.blocks,
    ...(head && recipe.head && { head: unroundedHead(head, recipe.head, read) }),
    operands: ({ weight }) => {
      const found = operands.get(weight.name);
      if (!found) throw new Error(`${weight.name} was not folded`);
      return found;
    },
  };
}

function unroundedHead(head: EnlargingHead, recipe: HeadRecipe, read: ReadWeights): HeadNumbers {
  const parts = new Map(headParts(head, recipe, read).map((part) => [part.name, part]));
  const operands = (name: string): HeadOperands => {
    const part = parts.get(name);
    if (!part) throw new Error(`${name} was not folded`);
    const { shape, bias } = part;
    const ones = bias.map(() => 1);
    const weight = name === HEAD_LAST ? transposed(part.weight, bias.length) : part.weight;
    return {
      weight: floats(name, shape, weight),
      scale: floats(`${name}.scale`, [bias.length], ones),
      bias: floats(`${name}.bias`, [bias.length], bias),
    };
  };
  const rowsOf = (index: number): string[] => [0, 1].map((row) => headName(index, row));
  return {
    input: Float32Array.from(recipe[0]?.scales ?? []),
    zeros: recipe.map(({ zero }) => zero),
    convs: head.convs.map((_, index) =>
      rowsOf(index)
        .filter((name) => parts.has(name))
        .map(operands),
    ),
    last: operands(HEAD_LAST),
  };
}

async function calibrated(checkpoint: string) {
  const dict = openCheckpoint(checkpoint);
  const weightsFolder = weightsFolderOf(checkpoint);
  const scene = proceduralScene(0, CROP_SIDE);
  const watched = await watchedRuns(recognise(dict), [scene], { weightsFolder, meter: () => undefined });
  const recipe: Int8Recipe = int8Recipe(watched, MARGIN);
  return { parts: watched.parts, recipe, read: (name: string) => readTensor(dict, name) };
}

function floats(name: string, shape: readonly number[], values: Float64Array): ProtoInitializer {
  return { name, type: 'float32', shape, data: new Uint8Array(Float32Array.from(values).buffer) };
}
