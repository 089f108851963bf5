import { copyFileSync, linkSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Image } from '../../../app/imaging/image.ts';
import { rgbToLightness } from '../../../app/imaging/opencv/lab.ts';
import { startService } from '../../../app/main.ts';
import type { WorkProgress } from '../../../app/processing/progress.ts';
import { restoreOptions, restorePlan } from '../../../app/options/restore-options.ts';
import type { ImageResult } from '../../../app/processing/result.ts';
import { outputOptions } from '../../../app/options/output-options.ts';
import { WorkerPool } from '../../../app/worker/worker-pool.ts';
import { childProcesses } from '../../support/child-processes.ts';
import { CommandLine } from '../../support/command-line.ts';
import { FINDERS, writeFaceModels } from '../../support/faces/face-models.ts';
import { gradient } from '../../support/images/images.ts';
import { openModels } from '../../support/networks/open-models.ts';
import { readPng, writePng } from '../../support/images/png.ts';
import { describeWithReference } from '../../support/reference.ts';
import { writeRestoreModels } from '../../support/networks/restore-models.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { workerConfig } from '../../support/upscale-task.ts';

/** Networks of tens of millions of parameters run here, and other tests share the machine. */
const SLOW = 240_000;

/** Of 65535: what the conversion from Lab, whose matrices are rounded, leaves of colour in gray; a fiftieth of a level of 255. */
const GRAY_SPREAD = 5;

let folder: TemporaryFolder;
let modelsDir: string;
const at = (name: string): string => join(folder.path, name);

beforeAll(async () => {
  folder = await temporaryFolder();
  modelsDir = at('models');
  mkdirSync(modelsDir);
  await writeRestoreModels(modelsDir);
  await writeFaceModels(modelsDir, [...FINDERS, 'codeformer']);
}, SLOW);

afterAll(() => folder.remove());

interface Restored extends ImageResult {
  readonly progress: readonly WorkProgress[];
  /** Models that were loaded at one time. */
  readonly mostModels: number;
}

/** Restores one file in a worker; the result is a PNG. */
async function restore(
  file: string,
  fields: Readonly<Record<string, unknown>>,
  changes: Partial<Parameters<typeof workerConfig>[0]> = {},
): Promise<Restored> {
  const pool = new WorkerPool(workerConfig({ modelsDir, ...changes }), { isBackground: false });
  const progress: WorkProgress[] = [];
  let mostModels = 0;
  const onProgress = (one: WorkProgress): void => {
    progress.push(one);
    for (const pid of childProcesses()) mostModels = Math.max(mostModels, openModels(pid, modelsDir).length);
  };
  const name = JSON.stringify(fields).replace(/\W+/g, '-');
  try {
    const [result] = await pool.run(
      {
        kind: 'restore',
        images: [{ file, name: 'photo', outputStem: at(name) }],
        ...restorePlan(restoreOptions.parse(fields), 'denoise'),
        output: outputOptions.parse({ output_format: 'png' }),
      },
      { onProgress },
    );
    if (!result) throw new Error('there is no result');
    return { ...result, progress, mostModels };
  } finally {
    await pool.close();
  }
}

function pictureOf(result: ImageResult): Image {
  return readPng(readFileSync(result.file));
}

/** A gray picture with all levels, 16 at each end left out so that colours have room. */
function grayPicture(name: string, width = 90): Image {
  const image = gradient({ width, height: 60, channels: 1, depth: 8 });
  const room = { ...image, data: Uint8Array.from(image.data, (level) => 16 + Math.round((level * 223) / 255)) };
  writeFileSync(at(name), writePng(room));
  return room;
}

/** Of the pixels whose colours are none cut off: by how many levels of 255 their light differs at most, and how many they are. */
function lightApart(
  colored: Image,
  gray: Image,
  lightOf: (r: number, g: number, b: number) => number,
): { readonly most: number; readonly pixels: number } {
  let [most, pixels] = [0, 0];
  for (let pixel = 0; pixel < gray.width * gray.height; pixel++) {
    const [r = 0, g = 0, b = 0] = colored.data.subarray(3 * pixel, 3 * pixel + 3);
    if (Math.min(r, g, b) === 0 || Math.max(r, g, b) === 255) continue;
    const level = gray.data[pixel * gray.channels] ?? 0;
    most = Math.max(most, Math.abs(lightOf(r, g, b) - lightOf(level, level, level)));
    pixels++;
  }
  return { most, pixels };
}

/** L of Lab, 0 to 255. */
function labLight(r: number, g: number, b: number): number {
  const lightness = new Float32Array(1);
  rgbToLightness(Float32Array.of(r / 255, g / 255, b / 255), lightness);
  return (Number(lightness[0]) / 100) * 255;
}

function isColored({ data }: Image): boolean {
  return data.some((level, i) => i % 3 > 0 && level !== data[i - 1]);
}

describeWithReference('A scanned photograph in black and white', ['photos', 'wolf-gray.jpg'], (photo) => {
  it(
    'is repaired, its faces restored, and coloured in one job, step by step, with one model at a time',
    async () => {
      const asked = { steps: 'colorize,face,denoise', colorize_model: 'paper_tiny', faces: '0' };
      const result = await restore(photo, asked);
      const { info, progress, mostModels } = result;
      expect(mostModels).toBe(1);
      expect(info.steps).toEqual([
        expect.objectContaining({
          step: 'denoise',
          model: 'NAFNet-SIDD-width64.pth',
          device: 'cpu',
          tile: 0,
          tiles: 1,
        }),
        expect.objectContaining({
          step: 'face',
          model: 'codeformer',
          faces_restored: 1,
          face_restoration_strength: 0.8,
        }),
        expect.objectContaining({ step: 'colorize', model: 'ddcolor_paper_tiny.pth', architecture: 'DDColor' }),
      ]);
      for (const { step, sha256, seconds } of info.steps ?? []) {
        if (step !== 'face') expect(sha256).toMatch(/^[0-9a-f]{64}$/);
        expect(seconds).toBeGreaterThan(0);
      }
      expect(info).toMatchObject({ scale: 1, input: info.output, device: 'cpu', fallbacks: [] });
      expect(info.warnings).toEqual([
        expect.stringContaining('ICC profile is left out'),
        'IPTC is left out: only JPEG and TIFF hold it',
      ]);
      const { width, height, channels } = pictureOf(result);
      expect({ width, height, channels }).toEqual({ ...info.input, channels: 3 });
      expect(isColored(pictureOf(result))).toBe(true);
      const stages = progress.map(({ stage }) => stage).filter((stage, i, all) => stage !== all[i - 1]);
      expect(stages).toEqual([
        ...['loading', 'restoring'],
        ...['detecting', 'restoring'],
        ...['loading', 'colorizing', 'encoding'],
      ]);
      expect(progress.every((one, i) => one.progress >= (progress[i - 1]?.progress ?? 0))).toBe(true);
      expect(progress.at(-1)?.progress).toBe(1);
    },
    SLOW,
  );
});

describe('A picture that is coloured', () => {
  it(
    'keeps its lightness under DDColor, to a level, however large it is',
    async () => {
      const gray = grayPicture('light.png', 2304);
      const result = await restore(at('light.png'), { steps: 'colorize', colorize_model: 'paper_tiny' });
      const colored = pictureOf(result);
      expect(isColored(colored)).toBe(true);
      const { most, pixels } = lightApart(colored, gray, labLight);
      expect(pixels).toBeGreaterThan(1000);
      expect(most).toBeLessThanOrEqual(1);
    },
    SLOW,
  );

  it(
    'keeps its luma under DeOldify, to a level; which falls back from artistic to stable, and says so',
    async () => {
      const gray = grayPicture('luma.png');
      const stableOnly = at('stable');
      mkdirSync(stableOnly);
      linkSync(join(modelsDir, 'ColorizeArtistic_gen.pth'), join(stableOnly, 'ColorizeStable_gen.pth'));
      const cutOff = (): void => {
        const file = join(stableOnly, 'ColorizeArtistic_gen.pth');
        copyFileSync(join(modelsDir, 'ColorizeArtistic_gen.pth'), file);
        truncateSync(file, Math.floor(statSync(file).size / 2));
      };
      const asked = { steps: 'colorize', colorize_model: 'deoldify-artistic', render_factor: 7 };
      const artistic = await restore(at('luma.png'), asked);
      expect(artistic.info.fallbacks).toEqual([]);
      expect(artistic.info.steps).toMatchObject([{ model: 'ColorizeArtistic_gen.pth', render_factor: 7 }]);
      const colored = pictureOf(artistic);
      expect(isColored(colored)).toBe(true);
      const { most, pixels } = lightApart(colored, gray, (r, g, b) => 0.299 * r + 0.587 * g + 0.114 * b);
      expect(pixels).toBeGreaterThan(1000);
      expect(most).toBeLessThanOrEqual(1);

      for (const [fault, prepare] of [
        ['none', () => undefined],
        ['cut off', cutOff],
      ] as const) {
        // prettier-ignore
        prepare();
        const stable = await restore(at('luma.png'), { ...asked, fault }, { modelsDir: stableOnly });
        expect(stable.info.steps).toMatchObject([{ model: 'ColorizeStable_gen.pth' }]);
        const reason: unknown = expect.stringContaining('ColorizeArtistic_gen.pth');
        expect(stable.info.fallbacks).toEqual([{ from: 'deoldify-artistic', to: 'deoldify-stable', reason }]);
        expect(pictureOf(stable).data).toEqual(colored.data);
      }
    },
    SLOW,
  );

  it(
    'stays gray where the network sees no colour; its 16 bits and its alpha stay too',
    async () => {
      const source = gradient({ width: 50, height: 40, channels: 2, depth: 16 });
      writeFileSync(at('deep.png'), writePng(source));
      const result = await restore(at('deep.png'), { steps: 'colorize', colorize_model: 'artistic' });
      const { data, channels, depth } = pictureOf(result);
      expect({ channels, depth }).toEqual({ channels: 4, depth: 16 });
      for (let pixel = 0; pixel < 50 * 40; pixel++) {
        const [r = NaN, g = NaN, b = NaN, alpha] = data.subarray(4 * pixel, 4 * pixel + 4);
        const [level = NaN, alphaBefore] = source.data.subarray(2 * pixel, 2 * pixel + 2);
        expect(alpha).toBe(alphaBefore);
        expect(Math.max(r, g, b) - Math.min(r, g, b)).toBeLessThanOrEqual(GRAY_SPREAD);
        expect(Math.abs(g - level)).toBeLessThanOrEqual(257 / 2);
      }
    },
    SLOW,
  );
});

describe('A picture that is denoised', () => {
  it(
    'keeps its kind of pixels, and its alpha untouched; tiles are told of',
    async () => {
      const source = gradient({ width: 150, height: 100, channels: 2, depth: 16 });
      writeFileSync(at('noisy.png'), writePng(source));
      const whole = await restore(at('noisy.png'), {});
      const tiled = await restore(at('noisy.png'), { tile: '64' });
      expect(whole.info.warnings).toEqual([]);
      expect(whole.info.steps).toMatchObject([{ step: 'denoise', tiles: 1, tile: 0 }]);
      expect(tiled.info.steps).toMatchObject([{ step: 'denoise', tiles: 6, tile: 64, halo: 64 }]);
      expect(tiled.info.warnings).toEqual([
        expect.stringMatching(/^denoise: NAFNet .* in 6 overlapping tiles of 64 px/),
      ]);
      const { data, channels, depth } = pictureOf(whole);
      expect({ channels, depth }).toEqual({ channels: 2, depth: 16 });
      const isAlpha = (_: number, i: number): boolean => i % 2 === 1;
      expect(data.filter(isAlpha)).toEqual(source.data.filter(isAlpha));
      expect(data).not.toEqual(source.data);
    },
    SLOW,
  );
});

describe('What cannot be done', () => {
  it(
    'is said by the command line in one line: which file to get, which steps there are',
    async () => {
      const commandLine = await CommandLine.build();
      try {
        writeFileSync(at('small.png'), gradientPng());
        const run = (...args: string[]) =>
          commandLine.run([...args, '-o', at('out')], { cwd: folder.path, env: { MODELS_DIR: modelsDir } });
        const [missing, sharpened, restored] = await Promise.all([
          run('restore', at('small.png'), '--steps', 'deblur'),
          run('restore', at('small.png'), '--steps', 'sharpen'),
          run('restore', at('small.png'), '--json'),
        ]);
        expect(missing.code).toBe(1);
        expect(missing.stderr).toMatch(/^hiresfix: .*NAFNet-GoPro-width64\.pth\n$/);
        expect(sharpened.code).toBe(2);
        expect(sharpened.stderr).toMatch(/^hiresfix: --steps: must be .* denoise, deblur, .*got "sharpen"\n$/);
        expect([restored.code, restored.stderr]).toEqual([0, '']);
        expect(JSON.parse(restored.stdout)).toMatchObject({ results: [{ output: at('out/small_restored.png') }] });
      } finally {
        await commandLine.remove();
      }
    },
    SLOW,
  );

  it(
    'is a problem document of the service; what can be is answered as an image',
    async () => {
      const service = await startService({
        ...workerConfig({ modelsDir, uploadFolder: at('in'), processedFolder: at('processed'), logLevel: 'error' }),
        port: 0,
      });
      try {
        const post = async (path: string, fields: Readonly<Record<string, string>>): Promise<Response> => {
          const form = new FormData();
          form.set('file', new Blob([new Uint8Array(gradientPng())]), 'old photo.png');
          for (const [name, value] of Object.entries(fields)) form.set(name, value);
          return fetch(`${service.url}/${path}`, { method: 'POST', body: form });
        };
        const problem = async (response: Response): Promise<unknown> => {
          const { status, code, detail } = (await response.json()) as Record<string, unknown>;
          return [status, code, detail];
        };
        const says = (text: string): unknown => expect.stringContaining(text);
        const bad = async (path: string, fields: Readonly<Record<string, string>>) => problem(await post(path, fields));
        expect(await bad('restore', { steps: 'sharpen' })).toEqual([400, 'ERR_BAD_PARAMETER', says('denoise, deblur')]);
        expect(await bad('restore', { scale: '2' })).toEqual([400, 'ERR_BAD_PARAMETER', says('scale')]);
        expect(await bad('colorize', { colorize_model: 'sepia' })).toEqual([
          400,
          'ERR_BAD_PARAMETER',
          says('paper_tiny'),
        ]);
        const missing = says('ddcolor_modelscope.pth');
        expect(await bad('colorize', {})).toEqual([503, 'ERR_MODEL_UNAVAILABLE', missing]);
        const restored = await post('restore', {});
        expect(restored.status).toBe(200);
        expect(restored.headers.get('X-Model')).toBe('NAFNet-SIDD-width64.pth');
        expect(restored.headers.get('Content-Disposition')).toContain('old photo_restored.png');
        expect(readPng(new Uint8Array(await restored.arrayBuffer()))).toMatchObject({ width: 20, height: 10 });
      } finally {
        await service.close(0);
      }
    },
    SLOW,
  );
});

function gradientPng(): Buffer {
  return writePng(gradient({ width: 20, height: 10, channels: 3, depth: 8 }));
}
