/**
 * Peak memory of a worker that restores 2000 x 1500 pixels by networks of full size, with pseudo-random weights: what must
 * stay below 4.5 GB, with one model loaded at a time. Names of steps, of a colouring model, and a photo in place of those pixels
 * may follow. Of what the detector takes for faces one is restored. Linux only.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { loadConfig } from '../../../app/config.ts';
import { restoreOptions, restorePlan } from '../../../app/options/restore-options.ts';
import { outputOptions } from '../../../app/options/output-options.ts';
import { WorkerPool } from '../../../app/worker/worker-pool.ts';
import { childProcesses } from '../../support/child-processes.ts';
import { FINDERS, writeFaceModels } from '../../support/faces/face-models.ts';
import { writeHashedModel } from '../../support/checkpoints/hashed-checkpoint.ts';
import { openModels } from '../../support/networks/open-models.ts';
import { peakMemory } from '../../support/peak-memory.ts';

/** Manifests by the file names of what they stand for. */
const MODELS = {
  'NAFNet-SIDD-width64.pth': 'NAFNet-SIDD-width64',
  'NAFNet-GoPro-width64.pth': 'NAFNet-GoPro-width64',
  'ddcolor_modelscope.pth': 'ddcolor_modelscope',
  'ddcolor_paper_tiny.pth': 'ddcolor_paper_tiny',
  'ColorizeArtistic_gen.pth': 'ColorizeArtistic_gen',
  'ColorizeStable_gen.pth': 'ColorizeStable_gen',
};
const LIMIT_BYTES = 4.5e9;
const LOOK_MS = 50;

const [steps = 'denoise,face,colorize', model = 'modelscope', given] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'hiresfix-bench-'));
try {
  await writeFaceModels(folder, [...FINDERS, 'codeformer']);
  for (const [file, manifest] of Object.entries(MODELS)) writeHashedModel(join(folder, file), manifest);
  await restore(given ?? (await largePhoto()));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function largePhoto(): Promise<string> {
  const photo = join(folder, 'photo.jpg');
  const noise = { type: 'gaussian', mean: 128, sigma: 40 } as const;
  await sharp({ create: { width: 2000, height: 1500, channels: 3, background: '#888', noise } })
    .grayscale()
    .jpeg()
    .toFile(photo);
  return photo;
}

async function restore(photo: string): Promise<void> {
  const pool = new WorkerPool(loadConfig({ DEVICE: 'cpu', MODELS_DIR: folder, MODEL_DOWNLOADS: 'false' }), {
    isBackground: false,
  });
  let [peak, mostModels] = [0, 0];
  const looking = setInterval(() => {
    for (const pid of childProcesses()) {
      peak = Math.max(peak, peakMemory(pid));
      mostModels = Math.max(mostModels, openModels(pid, folder).length);
    }
  }, LOOK_MS);
  const [result] = await pool.run({
    kind: 'restore',
    images: [{ file: photo, name: 'photo.jpg', outputStem: join(folder, 'out') }],
    ...restorePlan(restoreOptions.parse({ steps, colorize_model: model, faces: '0' }), 'denoise'),
    output: outputOptions.parse({}),
  });
  clearInterval(looking);
  await pool.close();
  process.stdout.write(`${JSON.stringify(result?.info, null, 2)}\n`);
  process.stdout.write(`peak memory of the worker: ${(peak / 1e9).toFixed(2)} GB; models at once: ${mostModels}\n`);
  if (peak === 0 || peak > LIMIT_BYTES || mostModels !== 1) process.exitCode = 1;
}
