import { createHash } from 'node:crypto';
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

/** A file of an archive whose files are stored as they are, by its entry in the directory at the end. */
function storedIn(zip: Buffer, name: string): Buffer {
  for (let at = zip.indexOf('PK\x01\x02'); at >= 0; at = zip.indexOf('PK\x01\x02', at + 4)) {
    if (zip.toString('utf8', at + 46, at + 46 + zip.readUInt16LE(at + 28)) !== name) continue;
    expect(zip.readUInt16LE(at + 10)).toBe(0); // stored
    const [size, local] = [zip.readUInt32LE(at + 20), zip.readUInt32LE(at + 42)];
    const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    return zip.subarray(start, start + size);
  }
  throw new Error(`${name} is not in the archive`);
}

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

  it('has results of the same name side by side in an archive, and none before there are any', async () => {
    const files = [8, 9].map((side) => ({ file: picture(side, side), name: 'A.png' }));
    const id = await client.submit({ method: 'upscale', files, fields: { upscaler: 'NEAREST' } });
    await client.completion(id);
    const zip = Buffer.from(await (await client.archive(id)).arrayBuffer());
    const names = ['A_upscaled.png', 'A_upscaled (2).png'];
    expect(names.map((name) => readPng(storedIn(zip, name)).width)).toEqual([16, 18]);
    const other = await client.submit({
      method: 'upscale',
      files: [{ file: picture(600, 600) }],
      fields: { upscaler: 'COMPACT_X2' },
    });
    await expect(client.archive(other)).rejects.toMatchObject({ code: 'ERR_JOB_NOT_COMPLETED', status: 409 });
    await client.cancel(other);
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
    const archive = await client.archive(id);
    const zip = Buffer.from(await archive.arrayBuffer());
    expect([archive.headers.get('content-type'), zip.length]).toEqual([
      'application/zip',
      Number(archive.headers.get('content-length')),
    ]);
    for (const { index, sha256 } of results) {
      const file = storedIn(zip, `${[8, 9][index]}_upscaled.png`);
      expect(createHash('sha256').update(file).digest('hex')).toBe(sha256);
    }
  });

  it.each([
    ['its caller', new Error('enough')],
    ["its caller's clock", new DOMException('The operation was aborted due to timeout', 'TimeoutError')],
  ])('cancels the job of a call that is aborted by %s, and throws the reason', async (_who, reason) => {
    const controller = new AbortController();
    let id = '';
    const onProgress = (state: JobState): void => {
      id = state.job_id;
      controller.abort(reason);
    };
    const call = client.upscale(picture(900, 700), { upscaler: 'COMPACT_X2', onProgress, signal: controller.signal });
    await expect(call).rejects.toBe(reason);
    expect((await client.job(id)).status).toBe('cancelled');
  });

  it('cancels the job of a call whose caller fails while it is told of progress', async () => {
    const [failure, ids] = [new Error('the page is gone'), [] as string[]];
    const onProgress = (state: JobState): void => {
      ids.push(state.job_id);
      throw failure;
    };
    await expect(client.upscale(picture(901, 700), { upscaler: 'COMPACT_X2', onProgress })).rejects.toBe(failure);
    expect(ids).toHaveLength(1);
    expect((await client.job(ids[0] ?? '')).status).toBe('cancelled');
  });

  it('leaves the results of a job that has ended to a caller who fails then', async () => {
    const id = await client.submit({
      method: 'upscale',
      files: [{ file: picture(8, 8) }],
      fields: { upscaler: 'NEAREST' },
    });
    const onProgress = ({ status }: JobState): void => {
      if (status === 'completed') throw new Error('the page is gone');
    };
    await expect(client.completion(id, { onProgress })).rejects.toThrow('the page is gone');
    expect((await client.result(id)).ok).toBe(true);
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
    expect(await codeOf(client.job('../models'))).toEqual(['ERR_JOB_NOT_FOUND', 404]);
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
