import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { loadConfig } from '../../../app/config.ts';
import type { RunningService } from '../../../app/main.ts';
import { startService } from '../../../app/main.ts';
import { gradient } from '../../support/images/images.ts';
import { readPng, writePng } from '../../support/images/png.ts';
import { clientRequest } from '../../support/servers/client-requests.ts';
import type { RawAnswer } from '../../support/servers/raw-http.ts';
import { rawAnswer } from '../../support/servers/raw-http.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const PICTURE = writePng(gradient({ width: 30, height: 20, channels: 3, depth: 8 }));

function sizeOf(png: Buffer): readonly [width: number, height: number] {
  const { width, height } = readPng(png);
  return [width, height];
}

interface Upscaled {
  readonly id: string;
  readonly created: number;
  readonly data: readonly [{ readonly url?: string; readonly b64_json?: string }];
}

describe('clients of other upscalers', () => {
  let folder: TemporaryFolder;
  let service: RunningService;

  beforeAll(async () => {
    folder = await temporaryFolder();
    service = await startService(
      loadConfig({
        PORT: '0',
        UPLOAD_FOLDER: join(folder.path, 'in'),
        PROCESSED_FOLDER: join(folder.path, 'out'),
        MODELS_DIR: join(folder.path, 'models'),
        MODEL_DOWNLOADS: 'false',
        FORCE_CPU: 'true',
        MAX_FILE_SIZE_MB: '1',
        LOG_LEVEL: 'error',
      }),
    );
  });
  afterAll(async () => {
    await service.close();
    await folder.remove();
  });

  const send = (name: string): Promise<RawAnswer> =>
    rawAnswer(Number(new URL(service.url).port), clientRequest(name, PICTURE));

  it.each<[client: string, size: readonly number[]]>([
    ['suwayomi', [60, 40]],
    ['outscale-script', [105, 70]],
    ['pollinations', [60, 40]],
    ['runpod-handler', [60, 40]],
    ['gen1nya-upscale', [60, 40]],
  ])('%s gets its picture as the body', async (client, size) => {
    const { status, headers, body } = await send(client);
    expect([status, headers.get('content-type')]).toEqual([200, 'image/png']);
    expect(sizeOf(body)).toEqual(size);
  });

  it.each<[client: string, applied: string, method: string, size: readonly number[]]>([
    ['codex2api', 'true', 'NEAREST', [90, 60]],
    ['codex2api-cover', 'true', 'LANCZOS', [80, 80]],
    ['codex2api-large-enough', 'false', 'none', [30, 20]],
  ])('%s is told whether its picture was enlarged, and by what', async (client, applied, method, size) => {
    const { status, headers, body } = await send(client);
    const told = [headers.get('x-upscale-applied'), headers.get('x-upscale-method')];
    expect([status, ...told, ...sizeOf(body)]).toEqual([200, applied, method, ...size]);
  });

  it.each<[client: string, form: 'url' | 'b64_json', size: readonly number[]]>([
    ['localai', 'url', [60, 40]],
    ['localai-base64', 'b64_json', [120, 80]],
    ['lemonade', 'b64_json', [60, 40]],
    ['lemonade-data-url', 'url', [90, 60]],
  ])('%s gets its picture as %s', async (client, form, size) => {
    const { status, body } = await send(client);
    const { created, data } = JSON.parse(body.toString()) as Upscaled;
    expect([status, Math.abs(created - Date.now() / 1000) < 60]).toEqual([200, true]);
    expect(Object.keys(data[0])).toEqual([form]);
    const png =
      form === 'url'
        ? ((
            await request(service.url)
              .get(new URL(data[0].url ?? '').pathname)
              .responseType('blob')
          ).body as Buffer)
        : Buffer.from(data[0].b64_json ?? '', 'base64');
    expect(sizeOf(png)).toEqual(size);
  });

  it.each([
    ['https', 'https:'],
    ['https, http', 'https:'],
    ['http', 'http:'],
    ['javascript', 'http:'],
  ])('a gateway behind a proxy that was reached by %s gets a URL of %s', async (forwarded, scheme) => {
    const { body } = (await request(service.url)
      .post('/v1/images/upscale')
      .set('X-Forwarded-Proto', forwarded)
      .field({ model: 'NEAREST', scale: '2' })
      .attach('image', PICTURE, 'a.png')) as { body: Upscaled };
    expect(new URL(body.data[0].url ?? '')).toMatchObject({ protocol: scheme, host: new URL(service.url).host });
  });

  it('a gateway that names a model that is not there is told so in its own words', async () => {
    const { status, body } = await send('gateway-unknown-model');
    expect([status, JSON.parse(body.toString())]).toEqual([
      400,
      {
        error: {
          message: expect.stringMatching(/'esrgan-deluxe'\. Known: AUTO/) as unknown,
          type: 'invalid_request_error',
          param: null,
          code: 'ERR_UNKNOWN_UPSCALER',
        },
      },
    ]);
  });

  it('gateways get every refusal in their own words, and others in ours', async () => {
    const call = (body: object) => request(service.url).post('/v1/images/upscale').send(body);
    const codes: unknown[] = [];
    for (const body of [{}, { image: 'no!' }, { image: PICTURE.toString('base64'), response_format: 'gif' }]) {
      const { status, body: answer } = (await call(body)) as { status: number; body: { error: { code: string } } };
      codes.push([status, answer.error.code]);
    }
    expect(codes).toEqual(Array(3).fill([400, 'ERR_BAD_PARAMETER']));
    const large = await call({ image: Buffer.alloc(1_100_000).toString('base64') });
    expect([large.status, large.body]).toMatchObject([413, { error: { code: 'ERR_FILE_TOO_LARGE' } }]);
    const lost = await request(service.url).get('/v1/images/upscale');
    expect(lost.body).toMatchObject({ error: { type: 'invalid_request_error' } });
    const noBox = await request(service.url).post('/v1/upscale').attach('file', PICTURE, 'a.png');
    expect([noBox.status, noBox.type, noBox.body]).toMatchObject([
      400,
      'application/problem+json',
      { detail: expect.stringMatching(/^target_width: /) as unknown },
    ]);
  });

  it.each<[path: string, fields: Record<string, string>, told: string]>([
    ['/upscale', { scale: '2', width: '9' }, 'scale: must not come with width'],
    ['/upscale', { outscale: '2', height: '9' }, 'outscale: must not come with height'],
    ['/jobs', { method: 'upscale', upscale_factor: '2', width: '9' }, 'upscale_factor: must not come with width'],
    ['/jobs', { method: 'enhance', scale: '2', width: '9' }, 'scale: must not come with width'],
    ['/preview', { region: '0,0,9,9', scale: '2', height: '9' }, 'scale: must not come with height'],
    ['/v1/images/upscale', { scale_factor: '2', width: '9' }, 'scale_factor: must not come with width'],
    ['/v1/upscale', { target_width: '9', target_height: '9', scale: '2' }, 'scale: must not come with target_width'],
    ['/comfy/upscale', { outscale: '2', width: '9' }, 'outscale: must not come with width'],
  ])('at %s with %j are told of two sizes by the names that they sent', async (path, fields, told) => {
    const response = await request(service.url).post(path).field(fields).attach('file', PICTURE, 'a.png');
    expect(response.status).toBe(400);
    expect(response.text).toContain(`${told}: give a factor, or the sides`);
  });

  it('are told of options that do nothing, beside their picture', async () => {
    const response = await request(service.url)
      .post('/comfy/upscale')
      .field({ model_name: 'LANCZOS', tile_size: '64', fit: 'cover', width: '9' })
      .attach('file', PICTURE, 'a.png');
    expect([response.status, response.headers['x-warnings']]).toEqual([
      200,
      'fit was ignored: it is for width and height together; tile was ignored: LANCZOS has no network',
    ]);
  });

  it('are told of a result that is too large without names that they did not send', async () => {
    const config = { upscaler: 'NEAREST', target_width: 100_000, target_height: 100_000 };
    const { status, text } = await request(service.url)
      .post('/hires-fix')
      .send({ images: [PICTURE.toString('base64')], config });
    expect([status, text]).toEqual([413, expect.stringContaining('MAX_OUTPUT_PIXELS allows; ask for a smaller size')]);
    const both = await request(service.url)
      .post('/hires-fix')
      .send({ images: [PICTURE.toString('base64')], config: { ...config, upscale_factor: 2 } });
    expect([both.status, both.text]).toEqual([
      400,
      expect.stringContaining('upscale_factor: must not come with target_width'),
    ]);
  });

  it('the remote-upscale node of ComfyUI finds models, follows its picture and fetches it', async () => {
    const { models } = (await request(service.url).get('/comfy/models')).body as { models: string[] };
    expect([models[0], models.includes('LANCZOS'), models.includes('REALESRGAN_X4PLUS')]).toEqual([
      'COMPACT_X2',
      true,
      false,
    ]);
    const { status, headers, body } = await send('gen1nya-stream');
    expect([status, headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
    const events = [...body.toString().matchAll(/^data: (.*)$/gm)].map(
      ([, data = '']) => JSON.parse(data) as Readonly<Record<string, unknown>>,
    );
    expect(events.at(-2)).toEqual({ progress: 100, total: 100 });
    expect(events.at(-1)).toEqual({ status: 'done', result_id: headers.get('x-job-id') });
    const result = await request(service.url)
      .get(`/comfy/result/${String(headers.get('x-job-id'))}`)
      .responseType('blob');
    expect(sizeOf(result.body as Buffer)).toEqual([60, 40]);
    expect((await request(service.url).get('/comfy/health')).body).toEqual({ status: 'ok' });
  });

  it('the node is told why its picture failed', async () => {
    const response = await request(service.url)
      .post('/comfy/upscale_stream')
      .field('model_name', 'COMPACT_X2')
      .attach('file', Buffer.from('hello, I am text'), 'image.png');
    expect(response.text).toContain('"status":"error"');
    expect(response.text).toContain('ERR_BAD_IMAGE');
  });
});
