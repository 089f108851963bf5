import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import request from 'supertest';
import { loadConfig } from '../../../app/config.ts';
import type { RunningService } from '../../../app/main.ts';
import { startService } from '../../../app/main.ts';
import type { ResultInfo } from '../../../app/processing/result.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const SOURCE = fileURLToPath(new URL('../../fixtures/cases/face-a.png', import.meta.url));
const REGION_TEXT = '37,21,40,33';

interface JobBody {
  readonly job_id: string;
  readonly image_states: readonly { readonly status: string; readonly code: string | null }[];
  readonly results: readonly { readonly index: number; readonly info: ResultInfo }[];
}

interface Problem {
  readonly code: string;
  readonly detail: string;
}

describe('parts of pictures', () => {
  let folder: TemporaryFolder;
  let service: RunningService;
  let picture: Buffer;

  beforeAll(async () => {
    folder = await temporaryFolder();
    service = await startService({
      ...loadConfig({ MODEL_DOWNLOADS: 'false', MODELS_DIR: folder.path, LOG_LEVEL: 'error' }),
      port: 0,
      uploadFolder: join(folder.path, 'in'),
      processedFolder: join(folder.path, 'out'),
    });
    picture = await sharp(await readFile(SOURCE))
      .resize(150, 110)
      .png()
      .toBuffer();
  });

  afterAll(async () => {
    await service.close();
    await folder.remove();
  });

  const result = (id: string, query = '', index = 0) =>
    request(service.url).get(`/jobs/${id}/results/${index}${query}`).responseType('blob');
  const pixelsOf = async (bytes: unknown) =>
    sharp(bytes as Buffer)
      .raw()
      .toBuffer({ resolveWithObject: true });
  const post = (path: string, fields: Record<string, string>) =>
    request(service.url).post(path).field(fields).attach('file', picture, 'picture.png');
  const upscaled = async (fields: Record<string, string>): Promise<string> => {
    const response = await post('/upscale', fields);
    expect(response.status).toBe(200);
    return String(response.headers['x-job-id']);
  };

  /** The results of a preview, and of the whole picture cut to what the preview says it is. */
  const compared = async (fields: Record<string, string>, upscalers: readonly string[]) => {
    const preview = await post('/preview', { ...fields, region: REGION_TEXT, upscalers: upscalers.join(',') });
    expect(preview.status).toBe(200);
    const body = preview.body as JobBody;
    const pairs = [];
    for (const { index, info } of body.results) {
      const id = await upscaled({ ...fields, upscaler: upscalers[index] ?? '', output_format: 'png' });
      const { x: left = 0, y: top = 0, width = 0, height = 0 } = info.region ?? {};
      const whole = (await result(id)).body as Buffer;
      const expected = await sharp(whole).extract({ left, top, width, height }).raw().toBuffer();
      const got = (await pixelsOf((await result(body.job_id, '', index)).body)).data;
      pairs.push({ got, expected, info, whole, id });
    }
    return { body, pairs };
  };

  it('before the whole are what the whole will have there, from every upscaler that there is, byte for byte', async () => {
    const upscalers = ['COMPACT_X2', 'LANCZOS', 'NO_SUCH', 'REALESRGAN_X4PLUS'];
    const { body, pairs } = await compared({ tile: '32' }, upscalers);
    expect(body.results.map(({ info }) => info.asked_upscaler)).toEqual(['COMPACT_X2', 'LANCZOS']);
    for (const { got, expected, info } of pairs) {
      expect(info.region).toEqual({ x: 74, y: 42, width: 80, height: 66 });
      expect(info.seconds['total']).toBeGreaterThan(0);
      expect(got.equals(expected)).toBe(true);
    }
    expect(pairs[0]?.info.tiles).toBeLessThan(20); // the whole has 20
    // One that is not there fails by itself.
    const codes = body.image_states.map(({ code }) => code);
    expect(codes).toEqual([null, null, 'ERR_UNKNOWN_UPSCALER', 'ERR_MODEL_UNAVAILABLE']);
    await partsOf(pairs[1]?.id ?? '', pairs[1]?.whole ?? Buffer.alloc(0));
    await refusedParts(pairs[1]?.id ?? '');
  });

  /** Of a result they are its pixels, have a tag of their own, and are reduced when asked. */
  const partsOf = async (id: string, whole: Buffer): Promise<void> => {
    const part = await result(id, '?region=10,20,64,48');
    const expected = await sharp(whole).extract({ left: 10, top: 20, width: 64, height: 48 }).raw().toBuffer();
    expect((await pixelsOf(part.body)).data).toEqual(expected);
    expect(part.headers['content-type']).toBe('image/png');
    expect(part.headers['cache-control']).toMatch(/^private, .*immutable$/);
    for (const known of [part.headers['etag'] ?? '', `"other", ${String(part.headers['etag'])}`]) {
      expect((await result(id, '?region=10,20,64,48').set('If-None-Match', known)).status).toBe(304);
    }
    expect((await pixelsOf((await result(id, '?width=75')).body)).info).toMatchObject({ width: 75, height: 55 });
    expect((await result(id, '?width=9999')).body).toEqual(whole);
    for (const query of ['?regoin=10,20,64,48', '?width=75&regoin=10,20,64,48']) {
      expect((await result(id, query)).headers['x-warnings']).toContain('unknown field "regoin" was ignored');
    }
  };

  const refusedParts = async (id: string): Promise<void> => {
    const refused = async (query: string): Promise<string> => {
      const response = await request(service.url).get(`/jobs/${id}/results/0${query}`);
      expect(response.status).toBe(400);
      return (response.body as Problem).detail;
    };
    expect(await refused('?region=290,0,20,20')).toBe(
      'region: must lie within the result, which has 300 x 220 pixels, got "290,0,20,20"',
    );
    expect(await refused('?region=1,2,3')).toMatch(/^region: must be x,y,width,height in whole pixels/);
    expect(await refused('?region=0,0,0,5')).toMatch(/^region: must be at least one pixel wide and high/);
    expect(await refused('?width=0')).toMatch(/^width: must be a whole number of at least 1, got "0"/);
  };

  it('are the same where the network runs twice and LANCZOS makes the size', async () => {
    const { pairs } = await compared({ scale: '3.3', tile: '48', tta: '1' }, ['COMPACT_X2']);
    expect(pairs[0]?.info.passes).toBe(2);
    expect(pairs[0]?.got.equals(pairs[0].expected)).toBe(true);
  });

  it('before the whole are refused in words where there are none', async () => {
    const outside = await post('/preview', { region: '140,0,20,20', upscaler: 'LANCZOS' });
    expect([outside.status, (outside.body as Problem).detail]).toEqual([
      400,
      'region: must lie within the picture, which has 150 x 110 pixels, got "140,0,20,20"',
    ]);
    const none = await post('/preview', { upscaler: 'LANCZOS' });
    expect([none.status, (none.body as Problem).detail]).toEqual([
      400,
      expect.stringMatching(/^region: must be x,y,width,height/),
    ]);
  });
});
