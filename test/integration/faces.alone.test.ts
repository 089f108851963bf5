import { readFileSync, writeFileSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import sharp from 'sharp';
import type { Image } from '../../app/imaging/image.ts';
import type { Point } from '../../app/imaging/opencv/similarity-transform.ts';
import { mapPoint } from '../../app/imaging/opencv/similarity-transform.ts';
import type { FaceView } from '../../app/processing/find-faces-processor.ts';
import { faceOptions } from '../../app/options/face-task-options.ts';
import { alignFace, FACE_SIDE, placementOf } from '../../app/processing/faces/align-face.ts';
import type { ResultInfo } from '../../app/processing/result.ts';
import { outputOptions } from '../../app/options/output-options.ts';
import { WorkerPool } from '../../app/worker/worker-pool.ts';
import { childProcesses } from '../support/child-processes.ts';
import { FINDERS, writeFaceModels } from '../support/faces/face-models.ts';
import { difference } from '../support/images/images.ts';
import { LiveService } from '../support/servers/live-service.ts';
import { openModels } from '../support/networks/open-models.ts';
import { peakMemory } from '../support/peak-memory.ts';
import { readPng, writePng } from '../support/images/png.ts';
import { describeWithReference } from '../support/reference.ts';
import type { TemporaryFolder } from '../support/temporary-folder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { workerConfig } from '../support/upscale-task.ts';

/** Networks of up to a hundred million parameters run here, at a low priority, and others share the machine. */
const TIMEOUT_MS = 1_800_000;
const MAX_MEMORY = 2.5e9;
const LOOK_MS = 50;
const WITHOUT_FACES = { from: 'gfpgan-1.4', to: 'no face restoration' };

describeWithReference('Faces, with full-size weights', ['photos', 'portrait.jpg'], (photo) => {
  let folder: TemporaryFolder;
  let service: LiveService;
  const at = (name: string): string => join(folder.path, name);
  const noFace = join(dirname(photo), 'face-gray.png');
  const config = () =>
    workerConfig({ modelsDir: at('models'), uploadFolder: at('in'), processedFolder: at('out'), logLevel: 'error' });

  beforeAll(async () => {
    folder = await temporaryFolder();
    await mkdir(at('models'));
    await writeFaceModels(at('models'), [...FINDERS, 'GFPGANv1.4', 'codeformer', 'RestoreFormer']);
    service = await LiveService.start(config());
  }, TIMEOUT_MS);

  afterAll(async () => {
    await service.close();
    await folder.remove();
  });

  const made = async (
    path: string,
    file: string,
    fields: Readonly<Record<string, string>>,
    key?: string,
  ): Promise<{ readonly image: Image; readonly info: ResultInfo }> => {
    const job = await service.run(path, [file], { output_format: 'png', ...fields }, key);
    const [result] = job.results;
    if (!result) throw new Error(`there is no result: ${job.error}`);
    return { image: readPng((await service.result(job)).bytes), info: result.info };
  };
  const expectSame = (actual: Image, expected: Image): void => expect(difference(actual, expected).max).toBe(0);

  it(
    'are restored in an upscaled photo, one model at a time, and every stage is told',
    async () => {
      const stages = new Set<string>();
      const shares: number[] = [];
      await service.follow('faces', ({ stage, progress }) => {
        stages.add(stage);
        shares.push(progress);
      });
      let [mostMemory, mostModels] = [0, 0];
      const looking = setInterval(() => {
        for (const pid of childProcesses()) {
          mostMemory = Math.max(mostMemory, peakMemory(pid));
          mostModels = Math.max(mostModels, openModels(pid, at('models')).length);
        }
      }, LOOK_MS);
      const fields = { upscaler: 'COMPACT_X2', is_face_enhance: 'true' };
      const { image, info } = await made('upscale', photo, fields, 'faces');
      clearInterval(looking);

      expect(info).toMatchObject({
        face_model: 'gfpgan-1.4',
        faces_found: 2,
        faces_restored: 2,
        face_restoration_strength: 0.8,
        output: { width: 1400, height: 928 },
        fallbacks: [],
      });
      expect(info.face_models?.map(({ model }) => model)).toEqual([
        'detection_Resnet50_Final.pth',
        'GFPGANv1.4.pth',
        'parsing_parsenet.pth',
      ]);
      expect([...stages]).toEqual(expect.arrayContaining(['upscaling', 'detecting', 'restoring', 'encoding']));
      expect(shares).toEqual([...shares].sort((a, b) => a - b));
      expect(mostMemory).toBeLessThan(MAX_MEMORY);
      expect(mostModels).toBe(1);

      const off = await made('upscale', photo, { ...fields, face_restoration_strength: '0' });
      expect(off.info).toMatchObject({ faces_restored: 0, warnings: [expect.stringContaining('strength')] });
      expect(difference(image, off.image).count).toBeGreaterThan(image.data.length / 100);
      const lanczos = { upscaler: 'LANCZOS', scale: '1.5' };
      const asked = { ...lanczos, is_face_enhance: 'true', face_restoration_strength: '0' };
      expectSame((await made('upscale', photo, asked)).image, (await made('upscale', photo, lanczos)).image);
    },
    TIMEOUT_MS,
  );

  it(
    'are the same by the extras of the A1111 WebUI',
    async () => {
      const answer = await fetch(`${service.url}/sdapi/v1/extra-single-image`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({
          image: readFileSync(photo).toString('base64'),
          upscaling_resize: 1,
          gfpgan_visibility: 0.7,
        }),
      });
      expect(answer.status).toBe(200);
      const { image } = (await answer.json()) as { readonly image: string };
      const asked = { upscaler: 'LANCZOS', scale: '1', is_face_enhance: 'true', face_restoration_strength: '0.7' };
      const { image: expected, info } = await made('upscale', photo, asked);
      expect(info.faces_restored).toBe(2);
      expectSame(readPng(Buffer.from(image, 'base64')), expected);
    },
    TIMEOUT_MS,
  );

  it(
    'are left as they are, in the image alone whose worker dies over them; that is told and counted',
    async () => {
      const strikes = new Map([[1, 'detecting'], [2, 'restoring']]); // prettier-ignore
      await service.follow('killed', ({ stage, image }) => {
        if (strikes.get(image) !== stage) return;
        strikes.delete(image);
        for (const pid of childProcesses()) process.kill(pid, 'SIGKILL');
      });
      const plain = { upscaler: 'LANCZOS', scale: '1' };
      const asked = { ...plain, method: 'upscale', is_face_enhance: 'true', output_format: 'png' };
      const job = await service.run('jobs', [photo, photo, noFace], asked, 'killed');
      const killed = {
        faces_found: 0,
        faces_restored: 0,
        fallbacks: [{ ...WITHOUT_FACES, reason: 'was killed by SIGKILL' }],
      };
      const none = { faces_found: 0, fallbacks: [], warnings: [expect.stringContaining('no face was found')] };
      const infos = [{ info: killed }, { info: killed }, { info: none }];
      expect(job).toMatchObject({ status: 'completed', results: infos });
      const pixels = async (index: number) => readPng((await service.result(job, index)).bytes);
      const { image: untouched } = await made('upscale', photo, plain);
      expectSame(await pixels(0), untouched);
      expectSame(await pixels(1), untouched);
      expectSame(await pixels(2), readPng(readFileSync(noFace)));
      expect(await service.metrics()).toContain(
        'hiresfix_fallbacks_total{from="gfpgan-1.4",to="no face restoration"} 2\n',
      );
    },
    TIMEOUT_MS,
  );

  it(
    'fail the task where they must not be left, and their worker dies',
    async () => {
      const pool = new WorkerPool(config(), { isBackground: false });
      const before = new Set(childProcesses());
      const run = pool.run(
        {
          kind: 'face',
          images: [{ file: photo, name: 'photo', outputStem: at('strict') }],
          options: faceOptions.parse({ strict: 'true' }),
          output: outputOptions.parse({}),
        },
        {
          onProgress: ({ stage }) => {
            if (stage !== 'detecting') return;
            for (const pid of childProcesses()) if (!before.has(pid)) process.kill(pid, 'SIGKILL');
          },
        },
      );
      await expect(run).rejects.toMatchObject({ code: 'ERR_WORKER_CRASHED' });
      await pool.close();
    },
    TIMEOUT_MS,
  );

  it(
    'are an error where a model is missing, which is named; or left as they are where that was asked for, or in an upscale',
    async () => {
      const parser = at('models/parsing_parsenet.pth');
      await rename(parser, at('parser'));
      try {
        const fields = { face_model: 'gfpgan' };
        const { info, image } = await made('face', photo, { ...fields, strict: 'false' });
        expect(info).toMatchObject({ faces_restored: 0 });
        const reason: unknown = expect.stringContaining('parsing_parsenet.pth');
        expect(info.fallbacks).toEqual([{ ...WITHOUT_FACES, reason }]);
        expectSame(image, (await made('upscale', photo, { upscaler: 'LANCZOS', scale: '1' })).image);
        const upscaled = await made('upscale', photo, { upscaler: 'LANCZOS', scale: '1', is_face_enhance: 'true' });
        expect(upscaled.info.fallbacks).toEqual([{ ...WITHOUT_FACES, reason }]);
        expectSame(upscaled.image, image);
        const failed = await service.run('face', [photo], fields);
        expect(failed).toMatchObject({ status: 'failed', code: 'ERR_MODEL_UNAVAILABLE', error: reason });
      } finally {
        await rename(at('parser'), parser);
      }
    },
    TIMEOUT_MS,
  );

  it(
    'are listed by POST /faces, chosen by POST /face, and restored by CodeFormer and RestoreFormer',
    async () => {
      writeFileSync(at('deep.png'), writePng(await withDepthAndAlpha(photo)));
      const deep = readPng(readFileSync(at('deep.png')));
      const listed = await service.run('faces', [at('deep.png')], { face_model: 'codeformer' });
      const file = await service.result(listed);
      expect(file.type).toBe('application/json');
      const { faces } = JSON.parse(file.bytes.toString()) as { faces: readonly FaceView[] };
      const info = listed.results[0]?.info;
      expect(info).toMatchObject({ face_model: 'codeformer', faces_found: faces.length, fallbacks: [] });
      expect(info?.face_models?.map(({ model }) => model)).toEqual(['detection_Resnet50_Final.pth']);
      expect(faces.length).toBeGreaterThan(2);
      expect(faces.map(({ index }) => index)).toEqual([...faces.keys()]);
      expect(faces.map(({ score }) => score)).toEqual(faces.map(({ score }) => score).sort((a, b) => b - a));
      for (const {
        box: [left = 0, top = 0, right = 0, bottom = 0],
        landmarks,
        score,
        size,
      } of faces) {
        expect(landmarks.flat()).toHaveLength(10);
        expect(score).toBeGreaterThan(0.8);
        expect(size).toBeCloseTo(Math.min(right - left, bottom - top), 1);
      }
      const area = ({ x: [left = 0, right = 0], y: [top = 0, bottom = 0] }: ReturnType<typeof reachOf>): number =>
        (right - left) * (bottom - top);
      const [smallest] = faces.toSorted((a, b) => area(reachOf(a)) - area(reachOf(b)));
      if (!smallest) throw new Error('no face was found');
      const fields = { face_model: 'codeformer', faces: String(smallest.index) };
      const free = await made('face', at('deep.png'), { ...fields, fidelity: '0' });
      const faithful = await made('face', at('deep.png'), { ...fields, fidelity: '1' });
      expect(free.info).toMatchObject({ faces_found: faces.length, faces_restored: 1, fidelity: 0, fallbacks: [] });
      expect(faithful.info).toMatchObject({ fidelity: 1, fallbacks: [] });
      expect(difference(free.image, faithful.image).max).toBeGreaterThan(257);
      for (const { image } of [free, faithful]) expectChangesIn(image, deep, smallest);

      const asked = { face_model: 'restoreformer', min_face_size: '450', face_upscale: '1.5', upscaler: 'BICUBIC' };
      const other = await made('face', at('deep.png'), asked);
      expect(other.info).toMatchObject({ faces_found: 2, faces_restored: 1, fallbacks: [] });
      expect(other.info.face_models?.map(({ model }) => model)).toEqual([
        'detection_Resnet50_Final.pth',
        'RestoreFormer.pth',
        'parsing_parsenet.pth',
      ]);
      expect(other.image).toMatchObject({ width: 1050, height: 696, channels: 4, depth: 16 });
    },
    TIMEOUT_MS,
  );
});

/** The photo with 16 bits, and an alpha that rises from left to right. From memory: other tests shut the loaders of files. */
async function withDepthAndAlpha(file: string): Promise<Image> {
  const { data, info } = await sharp(readFileSync(file)).raw().toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  const deep = new Uint16Array(width * height * 4);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let channel = 0; channel < 3; channel++) deep[pixel * 4 + channel] = 257 * (data[pixel * 3 + channel] ?? 0);
    deep[pixel * 4 + 3] = 65535 - (pixel % width);
  }
  return { width, height, channels: 4, depth: 16, data: deep };
}

/** The box about the square of a face that is cut out and put back, with the pixel around it that bilinear sampling reaches. */
function reachOf({ landmarks }: FaceView): { readonly x: readonly number[]; readonly y: readonly number[] } {
  const anything: Image = { width: 1, height: 1, channels: 3, depth: 8, data: new Uint8Array(3) };
  const aligned = alignFace(anything, landmarks as unknown as Point[]);
  if (!aligned) throw new Error('the landmarks of a face lie on one spot');
  const placement = placementOf(aligned.matrix, 1, 1);
  const corners = [-1, FACE_SIDE].flatMap((x) => [-1, FACE_SIDE].map((y) => mapPoint(placement, [x, y])));
  const [xs, ys] = [corners.map(([x]) => x), corners.map(([, y]) => y)];
  return { x: [Math.min(...xs), Math.max(...xs)], y: [Math.min(...ys), Math.max(...ys)] };
}

/** Pixels in the reach of the face are others, none outside of it, and no alpha. */
function expectChangesIn(actual: Image, before: Image, face: FaceView): void {
  expect(actual).toMatchObject({ width: before.width, height: before.height, channels: 4, depth: 16 });
  const { x: [left = 0, right = 0], y: [top = 0, bottom = 0] } = reachOf(face); // prettier-ignore
  let [inside, outside, alpha] = [0, 0, 0];
  actual.data.forEach((sample, i) => {
    if (sample === before.data[i]) return;
    const [x, y] = [Math.trunc(i / 4) % before.width, Math.trunc(i / 4 / before.width)];
    if (i % 4 === 3) alpha++;
    else if (x < left || x > right || y < top || y > bottom) outside++;
    else inside++;
  });
  expect({ outside, alpha }).toEqual({ outside: 0, alpha: 0 });
  expect(inside).toBeGreaterThan(100);
}
