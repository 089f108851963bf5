import { readFileSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Image } from '../../../app/imaging/image.ts';
import { resampleImage } from '../../../app/imaging/pillow/resample.ts';
import { faceOptions } from '../../../app/options/face-task-options.ts';
import type { ImageResult } from '../../../app/processing/result.ts';
import { outputOptions } from '../../../app/options/output-options.ts';
import type { TaskHooks } from '../../../app/worker/worker-pool.ts';
import { WorkerPool } from '../../../app/worker/worker-pool.ts';
import { childProcesses } from '../../support/child-processes.ts';
import { writeFaceModels } from '../../support/faces/face-models.ts';
import { difference, gradient } from '../../support/images/images.ts';
import { readPng, writePng } from '../../support/images/png.ts';
import { readSmallNetworks, writeSmallNetwork } from '../../support/networks/small-networks.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { workerConfig } from '../../support/upscale-task.ts';

const TIMEOUT_MS = 300_000;

describe('A picture that is one face', () => {
  let folder: TemporaryFolder;
  let results = 0;
  const at = (name: string): string => join(folder.path, name);
  const crop = gradient({ width: 60, height: 50, channels: 4, depth: 16 });
  const modelsDir = () => at('models');

  beforeAll(async () => {
    folder = await temporaryFolder();
    await mkdir(modelsDir());
    await writeFaceModels(modelsDir(), ['RestoreFormer']);
    const small = readSmallNetworks().find(({ name }) => name === 'new-x4-growth8');
    if (small) writeSmallNetwork(join(modelsDir(), 'RealESRGAN_x4plus.pth'), small, 'pth-zip');
    writeFileSync(at('crop.png'), writePng(crop));
  }, TIMEOUT_MS);

  afterAll(() => folder.remove());

  const restore = async (
    fields: Readonly<Record<string, unknown>>,
    { models = modelsDir(), onProgress }: { readonly models?: string } & Pick<TaskHooks, 'onProgress'> = {},
  ): Promise<{ readonly image: Image; readonly info: ImageResult['info'] }> => {
    const pool = new WorkerPool(workerConfig({ modelsDir: models }), { isBackground: false });
    try {
      const [result] = await pool.run(
        {
          kind: 'face',
          images: [{ file: at('crop.png'), name: 'crop', outputStem: at(`out-${results++}`) }],
          options: faceOptions.parse({ aligned: true, ...fields }),
          output: outputOptions.parse({ output_format: 'png' }),
        },
        { ...(onProgress && { onProgress }) },
      );
      if (!result) throw new Error('there is no result');
      return { image: readPng(readFileSync(result.file)), info: result.info };
    } finally {
      await pool.close();
    }
  };
  const crops = (fields: Readonly<Record<string, unknown>>, how?: Parameters<typeof restore>[1]) =>
    restore({ face_model: 'realesrgan', size: 64, ...fields }, how);
  const byLanczos = (side: number): Image => resampleImage(crop, side, side, 'LANCZOS');

  it(
    'is restored at 512 and answered in the size that is asked for, with its alpha and 16 bits',
    async () => {
      const { image, info } = await restore({ face_model: 'restoreformer', size: 256 });
      expect(info).toMatchObject({ faces_found: 1, faces_restored: 1, fallbacks: [], scale: 4.2667 });
      expect(info.face_models?.map(({ model }) => model)).toEqual(['RestoreFormer.pth']);
      expect(image).toMatchObject({ width: 256, height: 256, channels: 4, depth: 16 });
      const plain = resampleImage(byLanczos(512), 256, 256, 'LANCZOS');
      const alpha = ({ data }: Image) => data.filter((_, i) => i % 4 === 3);
      expect(alpha(image)).toEqual(alpha(plain));
      expect(difference(image, plain).mean).toBeGreaterThan(257);
    },
    TIMEOUT_MS,
  );

  it(
    'goes through Real-ESRGAN at 512 and comes back, in the share that is asked for',
    async () => {
      const half = await crops({ face_restoration_strength: 0.5 });
      const whole = await crops({ face_restoration_strength: 1 });
      const none = await crops({ face_restoration_strength: 0 });
      expect(half.info).toMatchObject({ face_model: 'realesrgan', faces_restored: 1, fallbacks: [] });
      expect(half.info.face_models?.map(({ model }) => model)).toEqual(['RealESRGAN_x4plus.pth']);
      expect(half.image).toMatchObject({ width: 64, height: 64, channels: 4, depth: 16 });
      const plain = byLanczos(64);
      expect(difference(none.image, plain).max).toBe(0);
      expect(difference(whole.image, plain).mean).toBeGreaterThan(257);
      half.image.data.forEach((sample, i) => {
        const middle = ((plain.data[i] ?? NaN) + (whole.image.data[i] ?? NaN)) / 2;
        expect(Math.abs(sample - middle)).toBeLessThanOrEqual(1);
      });
    },
    TIMEOUT_MS,
  );

  it(
    'comes by LANCZOS alone where the network is missing and that is no error, or where its worker dies over it',
    async () => {
      const fallback = { from: 'realesrgan-x4plus', to: 'LANCZOS' };
      const missing = await crops({ strict: false }, { models: at('none') });
      const reason: unknown = expect.stringContaining('RealESRGAN_x4plus.pth');
      expect(missing.info).toMatchObject({ faces_restored: 0, fallbacks: [{ ...fallback, reason }] });
      let kills = 0;
      const killed = await crops(
        {},
        {
          onProgress: ({ stage }) => {
            if (stage !== 'restoring' || kills++ > 0) return;
            for (const pid of childProcesses()) process.kill(pid, 'SIGKILL');
          },
        },
      );
      expect(killed.info.fallbacks).toEqual([{ ...fallback, reason: 'was killed by SIGKILL' }]);
      for (const { image } of [missing, killed]) expect(difference(image, byLanczos(64)).max).toBe(0);
      await expect(crops({}, { models: at('none') })).rejects.toMatchObject({
        code: 'ERR_MODEL_UNAVAILABLE',
      });
    },
    TIMEOUT_MS,
  );
});
