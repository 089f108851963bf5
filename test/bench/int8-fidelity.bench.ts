/**
 * How near the int8 form of a trained network comes to fp32. Takes the RRDN of `@upscalerjs/esrgan-thick`, which is no part of
 * this project: `npm i --no-save @upscalerjs/esrgan-thick` in a folder of its own, then
 * `npm run bench:int8-fidelity -- FOLDER/node_modules/@upscalerjs/esrgan-thick PHOTOS`, the second a folder of photos.
 * The rewriting, the calibration and the measurement are those of `hiresfix models optimize`.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCheckpoint } from '../../app/checkpoints/open-checkpoint.ts';
import { readTensor } from '../../app/checkpoints/read-tensor.ts';
import type { CalibrationCrops, Crop } from '../../app/processing/int8/calibration-crops.ts';
import { CROP_SIDE, imageCrops, sceneCrops } from '../../app/processing/int8/calibration-crops.ts';
import { int8Runs, watchedRuns } from '../../app/processing/int8/crop-runs.ts';
import { weightLimit } from '../../app/processing/networks/weight-limit.ts';
import { fidelityOf, inWords } from '../../app/quantization/fidelity.ts';
import { int8Tensors } from '../../app/quantization/int8-model.ts';
import { rrdnOf, writeRrdnCheckpoint } from './rrdn.ts';

const [pack = '', photos = ''] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'hiresfix-rrdn-'));
const file = join(folder, 'rrdn.safetensors');

try {
  writeRrdnCheckpoint(join(pack, 'models', 'x4'), file);
  const images = readdirSync(photos).map((name) => join(photos, name));
  const ofPhotos = await imageCrops(images, 2 ** 26);
  await measure('calibrated on scenes', {
    ...sceneCrops(),
    measuring: [...ofPhotos.measuring, ...ofPhotos.calibrating],
  });
  await measure('calibrated on other photos', ofPhotos);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function measure(what: string, crops: CalibrationCrops): Promise<void> {
  const runs = { weightsFolder: folder, meter: () => undefined };
  const { blocks, ranges, pictures } = await watchedRuns(rrdnOf(file), crops, runs);
  print(
    `a picture and its enlargement reduced again differ by ${meanDistance(crops.measuring, pictures).toFixed(1)} levels`,
  );
  const dict = openCheckpoint(file);
  const read = (name: string) => readTensor(dict, name);
  for (const limit of new Set([await weightLimit(), 63])) {
    const tensors = int8Tensors(blocks, ranges, { read, limit, margin: crops.margin });
    const results = await int8Runs(rrdnOf(file), tensors, crops.measuring, runs);
    const fidelity = fidelityOf(pictures.map((picture, index) => [picture, results[index] ?? picture]));
    print(`${what}, ${crops.calibrating.length} crops, weights to ${limit}: ${inWords(fidelity)}`);
  }
}

/** Shows that the network is fed as it was trained: a picture keeps its colours. */
function meanDistance(crops: readonly Crop[], pictures: readonly Uint8Array[]): number {
  const side = 4 * CROP_SIDE;
  const distances = crops.flatMap((crop, index) =>
    Array.from(crop, (sample, at) => {
      const [x, y, channel] = [Math.floor(at / 3) % CROP_SIDE, Math.floor(at / (3 * CROP_SIDE)), at % 3];
      let sum = 0;
      for (let tap = 0; tap < 16; tap++) {
        sum += pictures[index]?.[((4 * y + (tap >> 2)) * side + 4 * x + (tap & 3)) * 3 + channel] ?? 0;
      }
      return Math.abs(sum / 16 - sample);
    }),
  );
  return distances.reduce((sum, distance) => sum + distance, 0) / distances.length;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
