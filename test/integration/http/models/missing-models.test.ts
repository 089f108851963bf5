import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Response } from 'supertest';
import request from 'supertest';
import { loadConfig } from '../../../../app/config.ts';
import type { RunningService } from '../../../../app/main.ts';
import { startService } from '../../../../app/main.ts';
import { eventually } from '../../../support/eventually.ts';
import { noise } from '../../../support/images/images.ts';
import { readPng, writePng } from '../../../support/images/png.ts';
import type { TemporaryFolder } from '../../../support/temporary-folder.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const PICTURE = noise({ width: 12, height: 10, channels: 3, depth: 8 });
const IMAGE = writePng(PICTURE);
const DETECTOR = 'detection_Resnet50_Final.pth';

interface Problem {
  readonly code: string;
  readonly detail: string;
}

interface Job {
  readonly status: string;
  readonly code: string | null;
  readonly error: string | null;
  readonly results: readonly { readonly info: { readonly fallbacks: readonly unknown[] } }[];
}

describe('A service that has no weights and may fetch none', () => {
  let folder: TemporaryFolder;
  let service: RunningService;

  beforeAll(async () => {
    folder = await temporaryFolder();
    service = await startService({
      ...loadConfig({ MODELS_DIR: join(folder.path, 'models'), MODEL_DOWNLOADS: 'false', LOG_LEVEL: 'error' }),
      port: 0,
      uploadFolder: join(folder.path, 'in'),
      processedFolder: join(folder.path, 'out'),
    });
  });

  afterAll(async () => {
    await service.close();
    await folder.remove();
  });

  const post = (path: string): Promise<Response> =>
    request(service.url).post(`/${path}`).type('image/png').responseType('blob').send(IMAGE).then();
  const problemOf = (response: Response): Problem => JSON.parse((response.body as Buffer).toString()) as Problem;
  const expectMissing = (response: Response, file: string): void => {
    expect(response.status).toBe(503);
    const { code, detail } = problemOf(response);
    expect(code).toBe('ERR_MODEL_UNAVAILABLE');
    expect(detail).toMatch(/^The model \S+ is not installed: .* Download https:\/\/\S+ and put it into .+ as /);
    expect(detail).toContain(file);
    expect(detail).not.toContain('\n');
    expect(detail).not.toContain(folder.path);
  };
  /** The picture comes at its size without the step, and the answer says what was missing. */
  const expectTold = (response: Response, file: string, size: readonly [number, number]): void => {
    expect(response.status).toBe(200);
    const { width, height, data } = readPng(response.body as Buffer);
    expect([width, height]).toEqual(size);
    if (width === PICTURE.width) expect(data).toEqual(PICTURE.data);
    expect(response.headers['x-warnings']).toMatch(/fell back from \S+ to (no face restoration|LANCZOS): /);
    expect(response.headers['x-warnings']).toContain(file);
  };
  const jobOf = async (path: string, fields: Readonly<Record<string, string>>): Promise<Job> => {
    const sent = await request(service.url)
      .post(`/${path}`)
      .field({ ...fields })
      .attach('files', IMAGE, 'a.png');
    expect(sent.status).toBe(202);
    const { job_id: id } = sent.body as { job_id: string };
    const get = async (): Promise<Job> => (await request(service.url).get(`/jobs/${id}`)).body as Job;
    return eventually(get, ({ status }) => status === 'failed' || status === 'completed');
  };

  it.each([
    ['face?', DETECTOR],
    ['face?aligned=true', 'codeformer.pth'],
    ['face?aligned=true&face_model=realesrgan', 'RealESRGAN_x4plus.pth'],
    ['restore?steps=face', DETECTOR],
    ['restore?steps=denoise', 'NAFNet-SIDD-width64.pth'],
    ['restore?steps=colorize&colorize_model=deoldify-artistic', 'ColorizeArtistic_gen.pth'],
    ['restore?steps=denoise,face&strict=false', 'NAFNet-SIDD-width64.pth'],
    ['upscale?upscaler=LANCZOS&is_face_enhance=true&strict=true', DETECTOR],
  ])('answers POST /%s by a 503 that names %s', async (path, file) => {
    expectMissing(await post(path), file);
  });

  it.each([
    ['face?strict=false', DETECTOR, [12, 10]],
    ['face?strict=false&aligned=true&size=16&face_model=realesrgan', 'RealESRGAN_x4plus.pth', [16, 16]],
    ['restore?steps=face&strict=false', DETECTOR, [12, 10]],
    ['upscale?upscaler=LANCZOS&is_face_enhance=true', DETECTOR, [24, 20]],
  ] as const)('answers POST /%s by the picture, and tells that %s is missing', async (path, file, size) => {
    expectTold(await post(`${path}&output_format=png`), file, size);
  });

  it('needs no model where no face is asked for, however strict', async () => {
    const paths = ['face?face_restoration_strength=0', 'upscale?upscaler=LANCZOS&is_face_enhance=false&strict=true'];
    for (const path of paths) expect((await post(path)).status).toBe(200);
  });

  it.each([
    ['jobs', { method: 'restore' }],
    ['enhance', { upscaler: 'LANCZOS', strict: 'true' }],
  ])('fails a job of POST /%s that needs the faces (%j)', async (path, fields) => {
    expect(await jobOf(path, fields)).toMatchObject({
      status: 'failed',
      code: 'ERR_MODEL_UNAVAILABLE',
      error: expect.stringContaining(DETECTOR) as unknown,
    });
  });

  it.each([
    ['jobs', { method: 'face', strict: 'false' }],
    ['enhance', { upscaler: 'LANCZOS' }],
  ])('completes a job of POST /%s that can do without, and tells it (%j)', async (path, fields) => {
    const reason: unknown = expect.stringContaining(DETECTOR);
    expect(await jobOf(path, fields)).toMatchObject({
      status: 'completed',
      results: [{ info: { fallbacks: [{ to: 'no face restoration', reason }] } }],
    });
  });

  it('takes strict in the config of POST /hires-fix', async () => {
    const hiresFix = (strict?: boolean): Promise<Response> =>
      request(service.url)
        .post('/hires-fix')
        .send({ images: [IMAGE.toString('base64')], config: { upscaler: 'LANCZOS', is_face_enhance: true, strict } })
        .then();
    const told = await hiresFix();
    expect([told.status, JSON.stringify(told.body)]).toEqual([200, expect.stringContaining(DETECTOR)]);
    const refused = await hiresFix(true);
    expect([refused.status, (refused.body as Problem).code]).toEqual([503, 'ERR_MODEL_UNAVAILABLE']);
    expect((refused.body as Problem).detail).toContain(DETECTOR);
  });
});
