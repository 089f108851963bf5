import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { eventually } from '../../support/eventually.ts';
import { noise } from '../../support/images/images.ts';
import { writePng } from '../../support/images/png.ts';
import type { ServeProcess } from '../../support/servers/serve-process.ts';
import { serveProcess } from '../../support/servers/serve-process.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const IMAGE = writePng(noise({ width: 16, height: 12, channels: 3, depth: 8 }));
const SECRET = 'root-of-all-evil:x:0:0';

describe('a job that fails', () => {
  let folder: TemporaryFolder;
  let server: ServeProcess;

  beforeAll(async () => {
    folder = await temporaryFolder();
    const models = join(folder.path, 'models');
    server = await serveProcess(folder.path, { MODELS_DIR: models, LOG_LEVEL: 'warn', JOB_TIMEOUT_SECONDS: '20' });
    await mkdir(models);
    await writeFile(join(folder.path, 'passwd'), `${SECRET}:/root\nmore\n`);
    await symlink(join(folder.path, 'passwd'), join(models, 'passwd.pth'));
    await writeFile(join(models, 'empty.pth'), '');
  });
  afterAll(async () => {
    await server.kill();
    await folder.remove();
  });

  it.each([
    ['ERR_BAD_IMAGE', 'upscaler=NEAREST', Buffer.concat([IMAGE.subarray(0, 60), Buffer.alloc(200, 7)]), 400],
    ['ERR_BAD_CHECKPOINT', 'upscaler=passwd', IMAGE, 400],
    ['ERR_BAD_CHECKPOINT', 'upscaler=empty', IMAGE, 400],
    ['ERR_MODEL_UNAVAILABLE', 'upscaler=REALESRGAN_X4PLUS', IMAGE, 503],
    ['ERR_OUTPUT_FORMAT', 'upscaler=NEAREST&width=20000&height=1&output_format=webp', IMAGE, 400],
  ])('with %s (%s) has one line in the log, with cause, stack and ids', async (code, query, image, status) => {
    const response = await request(server.url).post(`/upscale?${query}`).type('image/png').send(image);
    expect([response.status, (response.body as { code: string }).code]).toEqual([status, code]);
    const id = response.get('X-Job-Id') ?? '';
    const { request_id: requestId } = response.body as { request_id: string };
    const ofJob = () =>
      server.logLines().filter((line) => line.message === 'job failed' && line.request_id === requestId);
    const lines = await eventually(
      () => Promise.resolve(ofJob()),
      (found) => found.length > 0,
    );
    expect(lines).toEqual([expect.objectContaining({ level: 'warn', code, caller: 'anyone' })]);
    expect(lines[0]?.job_id).toMatch(/^[0-9a-f]{32}$/);
    if (id !== '') expect(lines[0]?.job_id).toBe(id);
    expect(lines[0]?.error?.message).not.toBe('');
    expect(lines[0]?.error?.stack).toMatch(/\.ts:\d+/);
  });

  it('tells its caller neither where the server keeps files nor what is in them', async () => {
    const texts: string[] = [];
    for (const upscaler of ['passwd', 'empty', 'REALESRGAN_X4PLUS']) {
      const { text } = await request(server.url).post(`/upscale?upscaler=${upscaler}`).type('image/png').send(IMAGE);
      texts.push(text);
    }
    const auto = await request(server.url).post('/upscale?scale=4').type('image/png').send(IMAGE);
    expect(auto.status).toBe(200);
    const { text: models } = await request(server.url).get('/models');
    const { text: jobs } = await request(server.url).get('/jobs');
    texts.push(JSON.stringify(auto.headers), models, jobs);
    for (const text of texts) {
      expect(text).not.toContain(folder.path);
      expect(text).not.toContain(SECRET.slice(0, 8));
    }
    expect(texts[2]).toContain('put it into MODELS_DIR');
  });
});
