import { existsSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { buildImageGraph } from '../../architectures/image-graph.ts';
import { recognise } from '../../architectures/registry.ts';
import { CheckpointError } from '../../checkpoints/errors.ts';
import { openCheckpoint } from '../../checkpoints/open-checkpoint.ts';
import { readTensor } from '../../checkpoints/read-tensor.ts';
import { writeSafetensors } from '../../checkpoints/safetensors-writer.ts';
import { makeFolder } from '../../files/usable-folder.ts';
import { cacheFolder } from '../../files/user-folders.ts';
import { WeightsError } from '../../onnx/errors.ts';
import { int8PartsOf } from '../../quantization/int8-graph.ts';
import type { Int8Tensors } from '../../quantization/int8-model.ts';
import type { Int8Numbers } from '../../quantization/int8-numbers.ts';
import { int8Tensors, numbersInMemory, numbersReadFrom } from '../../quantization/int8-model.ts';
import type { Calibration } from './int8-calibration.ts';
import type { ShippedRecipe } from './official-recipes.ts';
import { isOf, officialRecipes } from './official-recipes.ts';

const ANY_PICTURE = { width: null, height: null, channels: 3, depth: 8 } as const;

/** Where forms are found and kept. */
export interface OfficialForms {
  readonly recipes?: readonly ShippedRecipe[];
  /** Their weights are kept here from one process to the next, where it can be written to. */
  readonly folder?: string;
}

/**
 * The int8 form of an official model, made of the user's own file by the recipe that ships with the package; undefined for
 * weights that it has none for. Making it takes seconds, once.
 * @param weights a checkpoint and its sha256, and the largest magnitude that 8-bit weights may have here
 * @throws CheckpointError
 */
export function officialForm(
  weights: { readonly checkpoint: string; readonly sha256: string; readonly limit: 63 | 127 },
  { recipes = officialRecipes(), folder = join(cacheFolder(), 'int8') }: OfficialForms = {},
): Calibration | undefined {
  const { checkpoint, sha256, limit } = weights;
  const usable = recipes.filter(({ measured }) => measured[limit] !== undefined);
  const placeOf = ({ digest }: ShippedRecipe): string => join(folder, `${sha256}.${digest}.${limit}`);
  for (const recipe of usable) {
    const kept = keptForm(placeOf(recipe));
    if (kept) return calibration(recipe, kept, weights);
  }
  const made = madeForm(checkpoint, usable, limit);
  if (!made) return undefined;
  keepForm(placeOf(made.recipe), made.tensors);
  return calibration(made.recipe, numbersInMemory(made.tensors), weights);
}

function calibration(
  { calibrated_on, measured: { [127]: exact, [63]: narrow } }: ShippedRecipe,
  numbers: Int8Numbers,
  { sha256, limit }: { readonly sha256: string; readonly limit: 63 | 127 },
): Calibration {
  const measured = limit === 63 ? (narrow ?? exact) : exact;
  return { record: { version: 2, weights_sha256: sha256, weight_limit: limit, calibrated_on, measured }, numbers };
}

function madeForm(
  checkpoint: string,
  recipes: readonly ShippedRecipe[],
  limit: number,
): { readonly recipe: ShippedRecipe; readonly tensors: Int8Tensors } | undefined {
  const dict = openCheckpoint(checkpoint);
  const network = recognise(dict);
  const ofItsKind = recipes.filter(({ architecture }) => architecture === network.architecture);
  if (ofItsKind.length === 0) return undefined; // its graph may be one for pictures of one size alone
  const read = (name: string): Float32Array => readTensor(dict, name);
  const parts = int8PartsOf(buildImageGraph(network, ANY_PICTURE));
  const recipe = ofItsKind.find((one) => isOf(one, parts, read));
  return recipe && { recipe, tensors: int8Tensors(parts, recipe.recipe, { read, limit }) };
}

function keptForm(file: string): Int8Numbers | undefined {
  if (!existsSync(file)) return undefined;
  try {
    return numbersReadFrom(openCheckpoint(file));
  } catch (error) {
    if (error instanceof CheckpointError || error instanceof WeightsError) return undefined;
    throw error;
  }
}

function keepForm(file: string, tensors: Int8Tensors): void {
  const partial = `${file}.${process.pid}`;
  try {
    makeFolder(dirname(file));
    writeSafetensors(partial, tensors);
    renameSync(partial, file);
  } catch {
    // A read-only system: what cannot be kept is made again.
  }
}
