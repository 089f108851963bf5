import { mkdir, realpath, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Response } from 'supertest';
import request from 'supertest';
import { loadConfig } from '../../../../app/config.ts';
import type { RunningService } from '../../../../app/main.ts';
import { startService } from '../../../../app/main.ts';
import { eventually } from '../../../support/eventually.ts';
import { noise } from '../../../support/images/images.ts';
import { writePng } from '../../../support/images/png.ts';
import { writeCheckpoint } from '../../../support/checkpoints/checkpoint-writer.ts';
import { smallNetwork, smallTensors } from '../../../support/networks/small-networks.ts';
import type { TemporaryFolder } from '../../../support/temporary-folder.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const IMAGE = writePng(noise({ width: 12, height: 10, channels: 3, depth: 8 }));
const PAGE = '<!DOCTYPE html><html><head><title>Not found</title></head></html>';

interface Problem {
  readonly code: string;
  readonly detail: string;
  readonly title: string;
}

interface Told {
  readonly upscaler: string;
  readonly fallbacks: readonly { readonly from: string; readonly to: string; readonly reason: string }[];
}

interface ListedModel {
  readonly name: string;
  readonly installed: boolean;
  readonly problem: string | null;
}

describe('models that are broken on the server', () => {
  let folder: TemporaryFolder;
  let service: RunningService;
  /** All that was answered: no word of it may say where things lie. */
  const answers: string[] = [];

  beforeAll(async () => {
    folder = await temporaryFolder();
    const real = join(folder.path, 'the-owners', 'models');
    await mkdir(real, { recursive: true });
    await writeFile(join(real, 'RealESRGAN_x2plus.pth'), PAGE); // what a download leaves that went wrong
    await writeFile(join(real, 'page.pth'), PAGE);
    const network = smallNetwork('new-x4');
    const tensors = smallTensors(network);
    tensors.delete('conv_hr.weight');
    writeCheckpoint(join(real, 'lacking.pth'), tensors, { format: 'pth-zip' });
    writeCheckpoint(join(real, 'foreign.safetensors'), new Map([...tensors].slice(0, 2)), { format: 'safetensors' });
    const modelsDir = join(folder.path, 'models');
    await symlink(real, modelsDir);
    service = await startService({
      ...loadConfig({
        MODELS_DIR: modelsDir,
        MODEL_DOWNLOADS: 'false',
        MODEL_UPSCALE: 'lacking.pth',
        LOG_LEVEL: 'error',
      }),
      port: 0,
      uploadFolder: join(folder.path, 'in'),
      processedFolder: join(folder.path, 'out'),
    });
  });

  afterAll(async () => {
    await service.close();
    expect(answers.length).toBeGreaterThan(8);
    for (const place of [folder.path, await realpath(folder.path), 'the-owners', process.cwd()]) {
      expect(answers.filter((answer) => answer.includes(place))).toEqual([]);
    }
    await folder.remove();
  });

  const recorded = (response: Response): Response => {
    const body = response.type.startsWith('image/') ? '' : response.text;
    answers.push(`${JSON.stringify(response.headers)} ${body}`);
    return response;
  };
  const get = async (path: string): Promise<Response> => recorded(await request(service.url).get(path));
  const upscale = async (query: string): Promise<Response> =>
    recorded(await request(service.url).post(`/upscale?${query}`).type('image/png').send(IMAGE));

  it.each([
    ['cannot be read', 2, /^RealESRGAN_x2plus\.pth: this is a web page/, 'REALESRGAN_X2PLUS'],
    ['lacks a weight', 4, /^conv_hr\.weight: missing in lacking\.pth/, 'lacking.pth'],
  ])('are passed over by AUTO where its own %s, and that is told', async (_name, factor, reason, from) => {
    const response = recorded(
      await request(service.url)
        .post('/hires-fix')
        .send({ images: [IMAGE.toString('base64')], config: { upscaler: 'AUTO', upscale_factor: factor } }),
    );
    expect(response.status).toBe(200);
    const { info } = response.body as { readonly info: Told };
    expect(info).toMatchObject({ upscaler: 'COMPACT_X2', fallbacks: [{ from, to: 'COMPACT_X2' }] });
    expect(info.fallbacks[0]?.reason).toMatch(reason);
  });

  it.each([
    ['REALESRGAN_X2PLUS', 503, 'ERR_BAD_CHECKPOINT', /^RealESRGAN_x2plus\.pth: this is a web page/],
    ['page.pth', 503, 'ERR_BAD_CHECKPOINT', /^page\.pth: this is a web page/],
    ['lacking', 503, 'ERR_BAD_WEIGHTS', /^conv_hr\.weight: missing in lacking\.pth/],
    ['foreign', 503, 'ERR_UNKNOWN_NETWORK', /^foreign\.safetensors: /],
    ['REALESRGAN_X4PLUS', 503, 'ERR_MODEL_UNAVAILABLE', /not installed/],
    ['nothing', 400, 'ERR_UNKNOWN_UPSCALER', /there is no 'nothing'/],
  ])('are not the fault of who names them: %s is answered with %i', async (name, status, code, detail) => {
    const response = await upscale(`upscaler=${name}`);
    const problem = response.body as Problem;
    expect([response.status, problem.code]).toEqual([status, code]);
    expect(problem.detail).toMatch(detail);
    expect(problem.title).not.toBe('Internal processing error');
  });

  it('tell a job and the list of models the same, and leave the service as it was', async () => {
    const form = request(service.url).post('/jobs').field({ method: 'upscale', upscaler: 'lacking' });
    const { job_id: id } = recorded(await form.attach('files', IMAGE, 'a.png').expect(202)).body as { job_id: string };
    const job = await eventually(
      async () => (await get(`/jobs/${id}`)).body as { readonly status: string; readonly code: string | null },
      ({ status }) => status === 'failed',
    );
    expect(job).toMatchObject({ code: 'ERR_BAD_WEIGHTS', error: expect.stringMatching(/^conv_hr\.weight: missing/) });
    for (const path of [`/status/${id}`, '/models', '/health/ready']) expect((await get(path)).status).toBe(200);
    expect((await upscale('upscaler=NEAREST')).status).toBe(200);
  });

  it('are chosen by AUTO, and listed as installed, as soon as they are mended', async () => {
    const network = smallNetwork('new-x2-unshuffle2');
    const file = join(folder.path, 'the-owners', 'models', 'RealESRGAN_x2plus.pth');
    writeCheckpoint(file, smallTensors(network), { format: 'pth-zip' });
    const response = await upscale('upscaler=AUTO&scale=2');
    expect([response.status, response.headers['x-model']]).toEqual([200, 'REALESRGAN_X2PLUS']);
    const { models } = (await get('/models')).body as { readonly models: readonly ListedModel[] };
    expect(models.find(({ name }) => name === 'realesrgan-x2plus')).toMatchObject({ installed: true, problem: null });
  });
});
