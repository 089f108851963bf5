/**
 * Run by tests with a folder and names of manifests as its arguments: writes their checkpoints there, full-size, under their
 * official names and with pseudo-random weights. The detector's class heads get biases by which, on the photo that the tests
 * use, two of its priors fire for GFPGAN: random weights see no faces.
 */
import { join } from 'node:path';
import { writeCheckpoint } from '../checkpoints/checkpoint-writer.ts';
import type { BuiltTensor } from '../checkpoints/hashed-weights.ts';
import { buildManifestTensors, readManifest } from '../checkpoints/hashed-weights.ts';

/** Added to the biases of background and face of the smaller and the larger prior of a cell, by the level's head. */
const BIASES: Readonly<Record<string, readonly number[]>> = {
  'module.ClassHead.0.conv1x1.bias': [0, -10, 0, -10],
  'module.ClassHead.1.conv1x1.bias': [0, -10, 0, -10],
  'module.ClassHead.2.conv1x1.bias': [0, -10, 0, 1.04],
};

const [folder = '.', ...names] = process.argv.slice(2);
for (const name of names) {
  const manifest = readManifest(name);
  const tensors = buildManifestTensors(manifest);
  for (const [tensor, added] of Object.entries(BIASES)) bias(tensors.get(tensor), added);
  const { format = 'pth-zip', root } = manifest;
  writeCheckpoint(join(folder, `${name}.pth`), tensors, { format, root });
}

function bias(tensor: BuiltTensor | undefined, added: readonly number[]): void {
  if (!(tensor?.data instanceof Float32Array)) return;
  for (const [index, value] of added.entries()) tensor.data[index] = (tensor.data[index] ?? 0) + value;
}
