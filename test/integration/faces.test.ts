import { readFileSync } from 'node:fs';
import { cp, mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { WorkProgress } from '../../app/processing/progress.ts';
import type { ImageResult } from '../../app/processing/result.ts';
import type { HiresFixTask } from '../../app/processing/tasks.ts';
import { WorkerPool } from '../../app/worker/worker-pool.ts';
import { childProcesses } from '../support/child-processes.ts';
import { writeFaceModels } from '../support/face-models.ts';
import { peakMemory } from '../support/peak-memory.ts';
import { readPng } from '../support/png.ts';
import { describeWithReference } from '../support/reference.ts';
import type { TemporaryFolder } from '../support/temporary-folder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { upscaleTask, workerConfig } from '../support/upscale-task.ts';

const TIMEOUT_MS = 300_000;
const MOST_MEMORY = 2.5e9;

describeWithReference('Faces through a worker, with full-size weights', ['photos', 'portrait.jpg'], (photo) => {
  let folder: TemporaryFolder;
  const models = () => join(folder.path, 'models');
  const config = () => workerConfig({ modelsDir: models() });

  beforeAll(async () => {
    folder = await temporaryFolder();
    await mkdir(models());
    await writeFaceModels(models());
    await cp(photo, join(folder.path, 'portrait.jpg'));
  }, TIMEOUT_MS);

  afterAll(() => folder.remove());

  const run = async (
    task: HiresFixTask,
    onProgress: (progress: WorkProgress) => void = () => undefined,
  ): Promise<ImageResult | undefined> => {
    const pool = new WorkerPool(config(), { isBackground: false });
    try {
      const [result] = await pool.run(task, { onProgress });
      return result;
    } finally {
      await pool.close();
    }
  };
  const task = (name: string, options: Readonly<Record<string, unknown>>): HiresFixTask => {
    const asked = upscaleTask(folder.path, ['portrait.jpg'], options);
    return { ...asked, images: asked.images.map((image) => ({ ...image, outputStem: join(folder.path, name) })) };
  };
  const pixels = (result: ImageResult | undefined) => readPng(readFileSync(result?.file ?? ''));

  it(
    'restores the faces found in an upscaled photo, one model at a time, and tells of every stage',
    async () => {
      const stages = new Set<string>();
      const shares: number[] = [];
      let mostMemory = 0;
      let mostModels = 0;
      const result = await run(task('faces', { upscaler: 'COMPACT_X2', is_face_enhance: 'true' }), (progress) => {
        stages.add(progress.stage);
        shares.push(progress.progress);
        for (const pid of childProcesses()) {
          mostMemory = Math.max(mostMemory, peakMemory(pid));
          mostModels = Math.max(mostModels, openModels(pid, models()).length);
        }
      });

      expect(result?.info).toMatchObject({
        face_model: 'gfpgan-1.4',
        faces_found: 2,
        faces_restored: 2,
        face_restoration_strength: 0.8,
        output: { width: 1400, height: 928 },
        fallbacks: [],
      });
      expect(result?.info.face_models?.map(({ model }) => model)).toEqual([
        'detection_Resnet50_Final.pth',
        'GFPGANv1.4.pth',
        'parsing_parsenet.pth',
      ]);
      expect([...stages]).toEqual(expect.arrayContaining(['upscaling', 'detecting', 'restoring', 'encoding']));
      expect(shares).toEqual([...shares].sort((a, b) => a - b));
      expect(mostMemory).toBeLessThan(MOST_MEMORY);
      expect(mostModels).toBe(1);

      const plain = pixels(await run(task('plain', { upscaler: 'COMPACT_X2' })));
      const restored = pixels(result);
      let changed = 0;
      plain.data.forEach((sample, at) => (changed += sample === restored.data[at] ? 0 : 1));
      expect(changed).toBeGreaterThan(plain.data.length / 100);

      const off = await run(
        task('off', { upscaler: 'COMPACT_X2', is_face_enhance: true, face_restoration_strength: 0 }),
      );
      expect(pixels(off)).toEqual(plain);
      expect(off?.info).toMatchObject({ faces_restored: 0, warnings: [expect.stringContaining('strength')] });
    },
    TIMEOUT_MS,
  );

  it(
    'leaves a picture without faces as the upscaler made it, and says so',
    async () => {
      const given = (name: string, isFaceEnhance: boolean): HiresFixTask => {
        const { images, ...asked } = task(name, { upscaler: 'LANCZOS', scale: 1, is_face_enhance: isFaceEnhance });
        return { ...asked, images: images.map((image) => ({ ...image, file: join(folder.path, 'gray.png') })) };
      };
      await cp(join(dirname(photo), 'face-gray.png'), join(folder.path, 'gray.png'));
      const result = await run(given('none', true));
      expect(result?.info).toMatchObject({ faces_found: 0, faces_restored: 0, fallbacks: [] });
      expect(result?.info.warnings.join()).toContain('no face');
      expect(pixels(result)).toEqual(pixels(await run(given('none-plain', false))));
    },
    TIMEOUT_MS,
  );

  it(
    'falls back to the plain upscale where a face model is missing, and says which',
    async () => {
      const parser = join(models(), 'parsing_parsenet.pth');
      await rename(parser, join(folder.path, 'parsing_parsenet.pth'));
      try {
        const options = { upscaler: 'LANCZOS', scale: 1, is_face_enhance: true };
        const result = await run(task('fallback', options));
        expect(result?.info).toMatchObject({ faces_restored: 0 });
        expect(result?.info.fallbacks).toEqual([
          { from: 'gfpgan-1.4', to: 'no face restoration', reason: expect.stringContaining('parsing_parsenet.pth') },
        ]);
        expect(pixels(result)).toEqual(
          pixels(await run(task('fallback-plain', { ...options, is_face_enhance: false }))),
        );
      } finally {
        await rename(join(folder.path, 'parsing_parsenet.pth'), parser);
      }
    },
    TIMEOUT_MS,
  );
});

/** Checkpoints that the process has mapped or open: those of loaded models. */
function openModels(pid: number, models: string): string[] {
  const maps = procFile(pid, 'maps').split('\n');
  return [...new Set(maps.filter((line) => line.includes(models)).map((line) => line.slice(line.indexOf('/'))))];
}

function procFile(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return ''; // it has ended meanwhile
  }
}
