/**
 * Run by tests with a folder as its argument: writes networks of restoration there under the official file names, with
 * pseudo-random weights: the denoiser in its smaller size, and as `ddcolor_artistic.pth` one whose colours are nothing.
 */
import { join } from 'node:path';
import type { BuiltTensor } from '../checkpoints/hashed-weights.ts';
import { writeHashedModel } from '../checkpoints/hashed-checkpoint.ts';

const folder = process.argv[2] ?? '.';
writeHashedModel(join(folder, 'NAFNet-SIDD-width64.pth'), 'NAFNet-SIDD-width32');
writeHashedModel(join(folder, 'ddcolor_paper_tiny.pth'), 'ddcolor_paper_tiny');
writeHashedModel(join(folder, 'ColorizeArtistic_gen.pth'), 'ColorizeArtistic_gen');
writeHashedModel(join(folder, 'ddcolor_artistic.pth'), 'ddcolor_paper_tiny', (tensors) => {
  // The last convolution is divided by u . (W v): what it gives becomes too little to count, whatever the picture.
  for (const name of ['weight_u', 'weight_v']) scale(tensors.get(`refine_net.0.0.${name}`), 1e9);
  scale(tensors.get('refine_net.0.0.bias'), 0);
});

function scale(tensor: BuiltTensor | undefined, factor: number): void {
  if (!(tensor?.data instanceof Float32Array)) throw new Error('the manifest has no such tensor');
  tensor.data.forEach((value, i, data) => (data[i] = value * factor));
}
