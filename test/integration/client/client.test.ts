import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { build } from 'esbuild';
import { HiresFixClient, ServiceProblemError, ServiceUnreachableError } from '../../../app/client/hires-fix-client.ts';
import type { JobState } from '../../../app/client/hires-fix-client.ts';
import { loadConfig } from '../../../app/config.ts';
import type { RunningService } from '../../../app/main.ts';
import { startService } from '../../../app/main.ts';
import { gradient } from '../../support/images/images.ts';
import { readPng, writePng } from '../../support/images/png.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const KEY = 'a-key-of-the-tests-0123456789';

describe('the client of the package', () => {
  let folder: TemporaryFolder;
  let service: RunningService;
  let client: HiresFixClient;

  beforeAll(async () => {
    folder = await temporaryFolder();
    service = await startService(
      loadConfig({
        PORT: '0',
        API_KEY: KEY,
        UPLOAD_FOLDER: join(folder.path, 'in'),
        PROCESSED_FOLDER: join(folder.path, 'out'),
        MODELS_DIR: join(folder.path, 'models'),
        MODEL_DOWNLOADS: 'false',
        FORCE_CPU: 'true',
        LOG_LEVEL: 'error',
      }),
    );
    client = new HiresFixClient(service.url, { apiKey: KEY });
  });

  afterAll(async () => {
    await service.close();
    await folder.remove();
  });

  const picture = (width: number, height: number) =>
    new Uint8Array(writePng(gradient({ width, height, channels: 3, depth: 8 })));

  it('enlarges a picture and tells how far it is', async () => {
    const states: JobState[] = [];
    const onProgress = (state: JobState): void => void states.push(state);
    const file = new File([picture(30, 20)], 'holiday.png');
    const { blob, info, jobId } = await client.upscale(file, { upscaler: 'COMPACT_X2', scale: 2, onProgress });
    const { width, height } = readPng(Buffer.from(await blob.arrayBuffer()));
    expect([width, height]).toEqual([60, 40]);
    expect(info).toMatchObject({ upscaler: 'COMPACT_X2', scale: 2, output: { width: 60, height: 40 }, fallbacks: [] });
    expect(states.at(-1)).toMatchObject({ job_id: jobId, status: 'completed', progress: 1 });
    expect(states.map(({ progress }) => progress)).toEqual(
      states.map(({ progress }) => progress).sort((a, b) => a - b),
    );
    expect((await client.job(jobId)).results?.[0]).toMatchObject({ original_filename: 'holiday.png' });
    expect((await client.jobs({ limit: 1 })).jobs[0]).toMatchObject({ job_id: jobId, method: 'upscale' });
  });

  it('takes a batch, follows it, and reads its results one by one', async () => {
    const files = [8, 9].map((side) => ({ file: picture(side, side), name: `${side}.png` }));
    const fields = { upscaler: 'NEAREST', scale: 3, output_format: undefined };
    const id = await client.submit({ method: 'upscale', files, fields }, { idempotencyKey: 'a-batch' });
    expect(await client.submit({ method: 'upscale', files, fields }, { idempotencyKey: 'a-batch' })).toBe(id);
    const { results = [], image_states: images } = await client.completion(id);
    expect(images).toMatchObject([{ original_filename: '8.png', status: 'completed' }, { status: 'completed' }]);
    const widths = results.map(async ({ index }) => {
      const response = await client.result(id, index);
      return readPng(Buffer.from(await response.arrayBuffer())).width;
    });
    expect(await Promise.all(widths)).toEqual([24, 27]);
  });

  it('cancels the job of a call that is aborted', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    let id = '';
    const onProgress = (state: JobState): void => {
      id = state.job_id;
      controller.abort(reason);
    };
    const call = client.upscale(picture(900, 700), { upscaler: 'COMPACT_X2', onProgress, signal: controller.signal });
    await expect(call).rejects.toBe(reason);
    expect((await client.job(id)).status).toBe('cancelled');
  });

  it('throws what the service refuses and what a job failed by, with its code', async () => {
    const codeOf = (call: Promise<unknown>) =>
      call.then(
        () => 'none',
        (error: unknown) => (error instanceof ServiceProblemError ? [error.code, error.status] : error),
      );
    expect(await codeOf(client.upscale(picture(8, 8), { scale: 0 }))).toEqual(['ERR_BAD_PARAMETER', 400]);
    expect(await codeOf(client.upscale(new Blob(['hello'])))).toEqual(['ERR_BAD_IMAGE', undefined]);
    expect(await codeOf(client.faces(picture(8, 8)))).toEqual(['ERR_MODEL_UNAVAILABLE', undefined]);
    expect(await codeOf(client.job('0'.repeat(32)))).toEqual(['ERR_JOB_NOT_FOUND', 404]);
    expect(await codeOf(new HiresFixClient(service.url).models())).toEqual(['ERR_UNAUTHORIZED', 401]);
    expect(() => new HiresFixClient('no url')).toThrow('Invalid URL');
    await expect(new HiresFixClient('http://127.0.0.1:9').models()).rejects.toThrow(ServiceUnreachableError);
  });

  it('knows which models are installed', async () => {
    const models = await client.models();
    expect(models).toContainEqual(expect.objectContaining({ name: 'realesrgan-x4plus', installed: false }));
  });

  it('needs nothing of Node, so that a browser can have it', async () => {
    const { outputFiles, metafile } = await build({
      entryPoints: ['app/client/hires-fix-client.ts'],
      bundle: true,
      platform: 'browser',
      format: 'esm',
      write: false,
      metafile: true,
    });
    expect(Object.keys(metafile.inputs).every((file) => file.startsWith('app/client/'))).toBe(true);
    expect(outputFiles[0]?.text).not.toMatch(/node:|\bprocess\b|\bBuffer\b/);
  });

  it('is what package.json exports', () => {
    const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as { exports: Record<string, unknown> };
    expect(exports['./client']).toEqual({
      types: './dist/client/hires-fix-client.d.ts',
      default: './dist/client/hires-fix-client.js',
    });
  });
});
