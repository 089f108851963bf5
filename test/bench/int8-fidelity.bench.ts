/**
 * Makes the recipe of an official model's int8 form, which ships in `config/int8`, and measures it on scenes and photos that calibrated
 * nothing: `npm run bench:int8-fidelity -- NAME CHECKPOINT PHOTOS [LIMITS]`, the catalogue's name, the weights,
 * a folder of photos, and the largest magnitudes that weights are measured with (127,63).
 * It is calibrated as `hiresfix models optimize` calibrates: on scenes. What is below the gate is not written.
 */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { recognise } from '../../app/architectures/registry.ts';
import { readRemoteModels } from '../../app/catalog/remote-model.ts';
import { openCheckpoint } from '../../app/checkpoints/open-checkpoint.ts';
import { readTensor } from '../../app/checkpoints/read-tensor.ts';
import { weightsFolderOf } from '../../app/inference/session.ts';
import { originalPairs, sceneCrops } from '../../app/processing/int8/calibration-crops.ts';
import { watchedRuns } from '../../app/processing/int8/crop-runs.ts';
import { compareForms, runFloat32, runInt8 } from '../../app/processing/int8/measure-fidelity.ts';
import type { OfficialRecipe } from '../../app/processing/networks/official-recipes.ts';
import { weightSamples } from '../../app/processing/networks/official-recipes.ts';
import { failuresInWords, inWords } from '../../app/quantization/fidelity.ts';
import { int8Tensors } from '../../app/quantization/int8-model.ts';
import { int8Recipe } from '../../app/quantization/int8-recipe.ts';
import { recipeAsked, shippableMeasures, USAGE } from '../support/forms/shippable-measures.ts';

const asked = recipeAsked(process.argv.slice(2));
if (!asked) {
  process.stderr.write(`${USAGE}\n`);
  process.exit(2);
}
const { name, checkpoint, photos, isNarrowMeasured } = asked;
const official = readRemoteModels().find((model) => model.name === name);
if (!official) throw new Error(`${name} is none of the catalogue`);
const dict = openCheckpoint(checkpoint);
const network = recognise(dict);
const read = (tensor: string) => readTensor(dict, tensor);
const runs = { weightsFolder: weightsFolderOf(checkpoint), meter: () => undefined };
const crops = await sceneCrops(network.scale);
const files = readdirSync(photos).map((file) => join(photos, file));
const pairs = [...crops.measuring, ...(await originalPairs(files, { maxPixels: 2 ** 26, scale: network.scale }))];

const started = process.cpuUsage();
const watched = await watchedRuns(network, crops.calibrating, runs);
const recipe = int8Recipe(watched, crops.margin);
print(`calibrated in ${secondsSince(started)} s of processor time`);
const float32 = await runFloat32(network, pairs, runs);
print(`fp32 of ${pairs.length} pairs`);
const all = { 127: await measuredTo(127), ...(isNarrowMeasured && { 63: await measuredTo(63) }) };
const { measured, told } = shippableMeasures(all);
if (told) print(told);
const shipped: OfficialRecipe = {
  version: 1,
  ...{ name, sha256: official.sha256 ?? '', architecture: network.architecture },
  calibrated_on: { source: crops.source, crops: crops.calibrating.length },
  measured,
  samples: weightSamples(watched.parts, read),
  recipe,
};
writeFileSync(new URL(`../../config/int8/${name}.json`, import.meta.url), `${JSON.stringify(shipped)}\n`);

async function measuredTo(limit: number): Promise<OfficialRecipe['measured'][127]> {
  const since = process.cpuUsage();
  const tensors = int8Tensors(watched.parts, recipe, { read, limit });
  print(`weights to ${limit}: rounded in ${secondsSince(since)} s of processor time`);
  const int8 = await runInt8(network, { tensors, pairs }, runs);
  const fidelity = compareForms({ pairs, scale: network.scale }, float32, int8);
  print(`${inWords(fidelity)}\n${failuresInWords(fidelity) || 'passes the gate'}`);
  return fidelity;
}

function secondsSince(since: NodeJS.CpuUsage): string {
  const { user, system } = process.cpuUsage(since);
  return ((user + system) / 1e6).toFixed(1);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
