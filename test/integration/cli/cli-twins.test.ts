import { mkdirSync, readFileSync } from 'node:fs';
import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { loadConfig } from '../../../app/config.ts';
import type { RunningService } from '../../../app/main.ts';
import { startService } from '../../../app/main.ts';
import type { Image } from '../../../app/imaging/image.ts';
import type { FaceView } from '../../../app/processing/find-faces-processor.ts';
import type { ResultInfo } from '../../../app/processing/result.ts';
import type { CommandEnd } from '../../support/command-line.ts';
import { CommandLine } from '../../support/command-line.ts';
import { gradient } from '../../support/images/images.ts';
import { writePng } from '../../support/images/png.ts';
import { writeFaceModels } from '../../support/faces/face-models.ts';
import { writeHashedModel } from '../../support/checkpoints/hashed-checkpoint.ts';
import { smallNetwork, writeSmallNetwork } from '../../support/networks/small-networks.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const SLOW = 240_000;
/** A face of 512 x 512 pixels. */
const FACE = fileURLToPath(new URL('../../fixtures/cases/face-a.png', import.meta.url));

const BLACK: Image = { width: 16, height: 16, channels: 3, depth: 8, data: new Uint8Array(16 * 16 * 3) };

interface FacesDocument {
  readonly results: readonly {
    readonly input: string;
    readonly faces: readonly FaceView[];
    readonly info: ResultInfo;
  }[];
}

describe('the command line, --server and the route', () => {
  let folder: TemporaryFolder;
  let service: RunningService;
  let commandLine: CommandLine;
  const at = (name: string): string => join(folder.path, name);

  beforeAll(async () => {
    folder = await temporaryFolder();
    mkdirSync(at('models'));
    writeHashedModel(at('models/NAFNet-SIDD-width64.pth'), 'NAFNet-SIDD-width32');
    writeHashedModel(at('models/ddcolor_paper_tiny.pth'), 'ddcolor_paper_tiny');
    const small = smallNetwork('new-x4');
    writeSmallNetwork(at('models/RealESRGAN_x4plus.pth'), small, 'pth-zip');
    await writeFaceModels(at('models'), ['detection_Resnet50_Final']);
    await writeFile(at('photo.png'), writePng(gradient({ width: 90, height: 60, channels: 3, depth: 8 })));
    await copyFile(FACE, at('face.png'));
    commandLine = await CommandLine.build();
    service = await startService(
      loadConfig({
        PORT: '0',
        UPLOAD_FOLDER: at('state/in'),
        PROCESSED_FOLDER: at('state/out'),
        MODELS_DIR: at('models'),
        MODEL_DOWNLOADS: 'false',
        FORCE_CPU: 'true',
        RESULT_CACHE_MB: '0', // everything is made anew
        LOG_LEVEL: 'error',
      }),
    );
  }, SLOW);

  afterAll(async () => {
    await service.close();
    await commandLine.remove();
    await folder.remove();
  }, SLOW);

  const run = (...args: string[]): Promise<CommandEnd> =>
    commandLine.run(args, { cwd: folder.path, env: { MODELS_DIR: at('models') } });

  it.each([
    ['upscale', 'photo.png', { upscaler: 'LANCZOS', scale: '2.5' }],
    ['upscale', 'photo.png', { upscaler: 'COMPACT_X2', tile: '32', output_format: 'webp', quality: '70' }],
    ['restore', 'photo.png', { steps: 'denoise', tile: '64' }],
    ['restore', 'photo.png', { metadata: 'strip' }],
    ['colorize', 'photo.png', { colorize_model: 'paper_tiny', output_format: 'tiff' }],
    ['face', 'face.png', { face_model: 'realesrgan', aligned: 'true', size: '256', face_restoration_strength: '0.7' }],
  ] as const)(
    '%s makes the same bytes of %s by %j',
    async (method, input, fields) => {
      const name = `${method}-${Object.values(fields).join('-')}`;
      const format: string = 'output_format' in fields ? fields.output_format : 'png';
      const flags = Object.entries(fields).flatMap(([field, value]) => flagOf(field, value));
      const args = (out: string) => [method, input, '-o', `${name}-${out}.${format}`, ...flags, '--json'];
      const ends = [await run(...args('here')), await run(...args('there'), '--server', service.url)];
      expect(ends.map(({ code, stderr }) => ({ code, stderr }))).toEqual([
        { code: 0, stderr: '' },
        { code: 0, stderr: '' },
      ]);
      const [here, there] = ['here', 'there'].map((out) => readFileSync(at(`${name}-${out}.${format}`)));
      const answer = await request(service.url)
        .post(`/${method}`)
        .field(fields)
        .attach('file', at(input))
        .responseType('blob');
      const posted = answer.body as Buffer;
      expect(answer.status).toBe(200);
      expect(here?.length).toBeGreaterThan(0);
      expect([there?.equals(here ?? posted), posted.equals(here ?? there ?? posted)]).toEqual([true, true]);
      expect(posted.equals(readFileSync(at(input)))).toBe(false);
      const [told, toldThere] = ends.map(({ stdout }) => infoOf(stdout));
      expect(told).toMatchObject({ fallbacks: [], format });
      expect(toldThere).toEqual(told);
    },
    SLOW,
  );

  it(
    'make the same bytes of what comes through a pipe as POST does of the file',
    async () => {
      const input = readFileSync(at('photo.png'));
      const place = { cwd: folder.path, env: { MODELS_DIR: at('models') }, input };
      const args = ['upscale', '-', '-o', '-', '--upscaler', 'LANCZOS', '--scale', '1.5', '--format', 'webp'];
      const [{ code, stdout }, answer] = [
        await commandLine.pipe(args, place),
        await request(service.url)
          .post('/upscale')
          .field({ upscaler: 'LANCZOS', scale: '1.5', output_format: 'webp' })
          .attach('file', at('photo.png'))
          .responseType('blob'),
      ];
      expect([code, answer.status]).toEqual([0, 200]);
      expect(stdout.subarray(8, 12).toString()).toBe('WEBP');
      expect(stdout.equals(answer.body as Buffer)).toBe(true);
    },
    SLOW,
  );

  it(
    'list the same faces, with the numbers that `face --faces` takes',
    async () => {
      const args = ['faces', 'face.png', '--face-model', 'codeformer'];
      const [text, json, remote] = [
        await run(...args),
        await run(...args, '--json'),
        await run(...args, '--json', '--server', service.url),
      ];
      expect([text.code, text.stderr, json.stderr, remote.stderr]).toEqual([0, '', '', '']);
      const posted = await request(service.url)
        .post('/faces')
        .field('face_model', 'codeformer')
        .attach('file', at('face.png'));
      const { faces } = posted.body as { faces: readonly FaceView[] };
      expect(faces.length).toBeGreaterThan(0);
      for (const { stdout } of [json, remote]) {
        const { results } = JSON.parse(stdout) as FacesDocument;
        expect(results).toMatchObject([{ input: at('face.png'), faces, info: { face_model: 'codeformer' } }]);
        expect(results[0]?.faces).toEqual(faces);
      }
      const [heading, columns, ...lines] = text.stdout.trimEnd().split('\n');
      expect(heading).toMatch(/face\.png {2}512x512, \d+ faces? as codeformer sees them$/);
      expect(columns?.trim()).toMatch(/^number +score +size +box /);
      expect(lines.map((line) => line.trim().split(/\s+/)[0])).toEqual(faces.map(({ index }) => String(index)));
    },
    SLOW,
  );

  it(
    'says of a picture without faces that there are none, and goes on where one is bad',
    async () => {
      await writeFile(at('black.png'), writePng(BLACK));
      await writeFile(at('text.png'), 'hello, I am text');
      const end = await run(
        'faces',
        'black.png',
        'text.png',
        '--face-model',
        'gfpgan',
        '--json',
        '--server',
        service.url,
      );
      expect([end.code, end.stderr.trim().split('\n').at(-1)]).toEqual([1, 'hiresfix: 1 of 2 images failed']);
      expect(JSON.parse(end.stdout)).toMatchObject({
        results: [{ input: at('black.png'), faces: [] }],
        failed: [{ input: at('text.png'), code: 'ERR_BAD_IMAGE' }],
      });
    },
    SLOW,
  );
});

function flagOf(field: string, value: string): string[] {
  const names: Readonly<Record<string, string>> = { output_format: 'format', colorize_model: 'model' };
  const flag = `--${names[field] ?? field.replaceAll('_', '-')}`;
  return value === 'true' ? [flag] : [flag, value];
}

/** What was done, but for how long it took. */
function infoOf(stdout: string): ResultInfo | undefined {
  const withoutTimes = (name: string, value: unknown): unknown => (name === 'seconds' ? undefined : value);
  return (JSON.parse(stdout, withoutTimes) as { results: readonly { info: ResultInfo }[] }).results[0]?.info;
}
