import { recognise } from '../../../app/architectures/registry.ts';
import { openCheckpoint } from '../../../app/checkpoints/open-checkpoint.ts';
import { readTensor } from '../../../app/checkpoints/read-tensor.ts';
import { weightsFolderOf } from '../../../app/inference/session.ts';
import { sceneCrops } from '../../../app/processing/int8/calibration-crops.ts';
import { watchedRuns } from '../../../app/processing/int8/crop-runs.ts';
import { compareForms, runFloat32, runInt8 } from '../../../app/processing/int8/measure-fidelity.ts';
import type { Fidelity } from '../../../app/quantization/fidelity.ts';
import type { Int8Tensors } from '../../../app/quantization/int8-model.ts';
import { int8Tensors } from '../../../app/quantization/int8-model.ts';
import { int8Recipe } from '../../../app/quantization/int8-recipe.ts';

/** What is wrong with a form: the scales of a block are half of what they should be, or its tiles do not see beyond their edges. */
export type Damage = 'none' | 'half-scales' | 'seams';

/** Few are enough for what is broken. */
const COUNTS = { calibrating: 1, measuring: 3 };

/** What the gate is told of a network's int8 form, calibrated on scenes as `models optimize` does, whole or broken on purpose. */
export async function measuredForm(checkpoint: string, damage: Damage): Promise<Fidelity> {
  const dict = openCheckpoint(checkpoint);
  const network = recognise(dict);
  const runs = { weightsFolder: weightsFolderOf(checkpoint), meter: () => undefined };
  const crops = await sceneCrops(network.scale, COUNTS);
  const watched = await watchedRuns(network, crops.calibrating, runs);
  const recipe = int8Recipe(watched, 1.2);
  const read = (name: string): Float32Array => readTensor(dict, name);
  const tensors = int8Tensors(watched.parts, recipe, { read, limit: 127 });
  if (damage === 'half-scales') halveScales(tensors);
  const pairs = crops.measuring;
  const float32 = await runFloat32(network, pairs, runs);
  const int8 = await runInt8(network, { tensors, pairs, ...(damage === 'seams' && { halo: 0 }) }, runs);
  return compareForms({ pairs, scale: network.scale }, float32, int8);
}

/** Of the last block: its bytes stand for half of what its weights were folded for. */
function halveScales(tensors: Int8Tensors): void {
  const steps = tensors.get('int8.steps')?.data as Float32Array;
  for (const at of [steps.length - 2, steps.length - 1]) steps[at] = (steps[at] ?? 0) / 2;
}
