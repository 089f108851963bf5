import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { blendSamplesAsPillow } from '../../../app/imaging/blend.ts';
import type { Image } from '../../../app/imaging/image.ts';
import { pixelBomb } from '../../support/images/hostile-images.ts';
import { difference } from '../../support/images/images.ts';
import { readPng, readPngChunks } from '../../support/images/png.ts';
import type { A1111Service, JsonAnswer } from '../../support/servers/a1111-service.ts';
import { a1111Service, noisyPng } from '../../support/servers/a1111-service.ts';

interface Progress {
  readonly progress: number;
  readonly state: {
    readonly job: string;
    readonly job_count: number;
    readonly sampling_step: number;
    readonly sampling_steps: number;
  };
}

const SINGLE = '/sdapi/v1/extra-single-image';
const PHOTO = noisyPng().toString('base64');
const SMALL = noisyPng({ width: 30, height: 20 }).toString('base64');

/** Small tiles, so that a small picture has many. */
const TILES = { TILE: '32' };

describe('the extras of the A1111 routes', () => {
  let service: A1111Service;
  /** It may fetch pictures. */
  let open: A1111Service;

  beforeAll(async () => {
    service = await a1111Service(TILES);
    open = await a1111Service({ ALLOW_URL_INPUT: 'true' });
  });
  afterAll(async () => {
    await service.close();
    await open.close();
  });

  const pictureOf = ({ body }: JsonAnswer): Buffer => Buffer.from((body as { image: string }).image, 'base64');
  const made = async (fields: Record<string, unknown>): Promise<Image> => {
    const answer = await service.post(SINGLE, { image: PHOTO, ...fields });
    expect([answer.status, answer.body]).toEqual([200, { html_info: expect.any(String), image: expect.any(String) }]);
    return readPng(pictureOf(answer));
  };
  const sizeOf = ({ width, height }: Image): number[] => [width, height];
  const infoOf = ({ body }: JsonAnswer): string => (body as { html_info: string }).html_info;
  const progress = async (): Promise<Progress> => (await service.get('/sdapi/v1/progress')).body as Progress;
  const until = async (found: (now: Progress) => boolean): Promise<Progress> => {
    for (;;) {
      const now = await progress();
      if (found(now)) return now;
      await sleep(20);
    }
  };

  it('have the size that chaiNNer asserts, though their results are not to be shown', async () => {
    const body = { upscaling_resize: 1.5, upscaler_1: 'Lanczos', show_extras_results: false };
    expect(sizeOf(await made(body))).toEqual([Math.trunc(101 * 1.5), Math.trunc(67 * 1.5)]);
  });

  it('cover a box by the larger factor, and cut the middle out of that where they are to', async () => {
    const box = { resize_mode: 1, upscaling_resize_w: 200, upscaling_resize_h: 180, upscaler_1: 'Bicubic' };
    const whole = await made({ ...box, upscaling_crop: false });
    expect(sizeOf(whole)).toEqual([Math.trunc((101 * 180) / 67), 180]);
    const cut = await made(box);
    expect(sizeOf(cut)).toEqual([200, 180]);
    const left = Math.floor(whole.width / 2) - 100;
    const rows = Array.from({ length: 180 }, (_, y) => {
      const at = (y * whole.width + left) * 3;
      return [...whole.data.subarray(at, at + 600)];
    });
    expect([...cut.data]).toEqual(rows.flat());
  });

  it('blend what two upscalers make', async () => {
    const size = { upscaling_resize: 2, image: SMALL };
    const one = await made({ ...size, upscaler_1: 'Nearest' });
    const other = await made({ ...size, upscaler_1: 'Lanczos' });
    const both = { ...size, upscaler_1: 'Nearest', upscaler_2: 'Lanczos' };
    expect(difference(await made({ ...both, extras_upscaler_2_visibility: 1 }), other).max).toBe(0);
    const blended = await made({ ...both, extras_upscaler_2_visibility: 0.3 });
    const expected = one.data.slice();
    blendSamplesAsPillow(one.data, other.data, 0.3, expected);
    expect(difference(blended, { ...one, data: expected }).max).toBe(0);
  });

  it('blend two networks, the second of which takes the place of the first', async () => {
    const size = { upscaling_resize: 2, image: SMALL };
    const one = await made({ ...size, upscaler_1: 'Compact 2x' });
    const other = await made({ ...size, upscaler_1: 'R-ESRGAN 4x+' });
    const both = await made({
      ...size,
      upscaler_1: 'Compact 2x',
      upscaler_2: 'R-ESRGAN 4x+',
      extras_upscaler_2_visibility: 0.5,
    });
    const expected = one.data.map((sample, at) => (sample + (other.data[at] ?? 0)) / 2);
    expect(difference(both, { ...one, data: expected }).max).toBeLessThanOrEqual(1);
  });

  it('take what small clients send: three fields, numbers as text, a slash at the end, keys that nobody knows', async () => {
    expect(sizeOf(await made({ upscaling_resize: 2, upscaler_1: 'R-ESRGAN 4x+' }))).toEqual([202, 134]);
    const outpaint = await service.post(`${SINGLE}/`, {
      'resize-mode': 0,
      upscaling_resize: '2',
      upscaler_1: 'Lanczos',
      image: `data:image/png;base64,${PHOTO}`,
    });
    expect(outpaint.status).toBe(200);
    expect(sizeOf(readPng(pictureOf(outpaint)))).toEqual([202, 134]);
    expect(infoOf(outpaint)).toContain('unknown field &#34;resize-mode&#34; was ignored');
  });

  it.each(['Lanczos', 'LANCZOS', 'lanczos', 'RealESRGAN_x4plus', 'REALESRGAN_X4PLUS', 'RealESRGAN_x4plus.pth'])(
    'know the upscaler %s',
    async (upscaler) => {
      expect(sizeOf(await made({ upscaler_1: upscaler, upscaling_resize: 1.1 }))).toEqual([111, 73]);
    },
  );

  it('with no upscaler keep the size, or resize to the one that was asked for, and say so', async () => {
    const kept = await service.post(SINGLE, { image: PHOTO, upscaler_1: 'None' });
    expect(infoOf(kept)).toContain('Postprocess upscaler: None');
    expect(difference(readPng(pictureOf(kept)), readPng(noisyPng())).max).toBe(0);
    const resized = await made({ upscaler_1: 'None', upscaling_resize: 2 });
    expect(difference(resized, await made({ upscaler_1: 'Lanczos', upscaling_resize: 2 })).max).toBe(0);
  });

  it.each(['ESRGAN_4x', 'SwinIR_4x', 'R-ESRGAN 2x+', 'gfpgan-1.4', '../secrets'])(
    'refuse the upscaler %s, which is not there, and list those that are',
    async (upscaler) => {
      const { status, body } = await service.post(SINGLE, { image: PHOTO, upscaler_1: upscaler });
      expect(status).toBe(422);
      expect(body).toMatchObject({ error: 'HTTPException', body: '' });
      expect((body as { detail: string }).detail).toMatch(
        /^upscaler_1: .*There are: None, Lanczos, Nearest, .*R-ESRGAN 4x\+, Compact 2x/,
      );
    },
  );

  it('tell as FastAPI does where a body does not validate', async () => {
    const bad = await service.post(SINGLE, { image: PHOTO, gfpgan_visibility: 2 });
    expect([bad.status, bad.body]).toEqual([
      422,
      { detail: [{ loc: ['body', 'gfpgan_visibility'], msg: expect.stringContaining('0 to 1'), type: 'value_error' }] },
    ]);
    const list = await service.post('/sdapi/v1/extra-batch-images', { imageList: [{ data: PHOTO }, {}] });
    expect(list.body).toMatchObject({ detail: [{ loc: ['body', 'imageList', 1, 'data'] }] });
    const none = await service.post('/sdapi/v1/extra-batch-images', {});
    expect(none.body).toMatchObject({ detail: [{ loc: ['body', 'imageList'] }] });
  });

  it('tell as the WebUI does where an image is none, an address, or too large to be decoded', async () => {
    for (const image of ['', 'not base64 at all!', Buffer.from('hello').toString('base64'), 'http://127.0.0.1/a.png']) {
      const { status, body } = await service.post(SINGLE, { image, upscaler_1: 'Lanczos' });
      expect([status, body]).toEqual([
        500,
        expect.objectContaining({ error: 'HTTPException', detail: expect.stringMatching(/^Invalid encoded image: /) }),
      ]);
    }
    const bomb = await service.post(SINGLE, { image: pixelBomb().toString('base64'), upscaler_1: 'Lanczos' });
    expect([bomb.status, (bomb.body as { detail: string }).detail]).toEqual([413, expect.stringContaining('40000')]);
    expect((await service.get('/sdapi/v1/nothing')).body).toEqual({ detail: 'Not Found' });
  });

  it("give a picture its own tones back, and refuse a cleaner that enlarges, as this service's upscales do", async () => {
    const meanOf = ({ data }: Image): number => [...data].reduce((sum, sample) => sum + sample, 0) / data.length;
    const asked = { image: SMALL, upscaler_1: 'Compact 2x', colour_fix: 'mean' };
    const answer = await service.post(SINGLE, asked);
    expect(infoOf(answer)).toContain('Postprocess upscaler: Compact 2x, Postprocess colour fix: mean');
    const source = meanOf(readPng(Buffer.from(SMALL, 'base64')));
    expect(Math.abs(meanOf(readPng(pictureOf(answer))) - source)).toBeLessThan(0.6);
    const { status, body } = await service.post(SINGLE, { ...asked, clean: 'RealESRGAN_x4plus' });
    const msg = expect.stringMatching(/^clean: expected a network of scale 1, RealESRGAN_x4plus is Compact/);
    expect([status, body]).toEqual([422, { detail: [{ loc: ['body'], msg, type: 'value_error' }] }]);
  });

  it.each([
    'http://127.0.0.1/a.png',
    'http://[::1]/a.png',
    'http://169.254.169.254/a.png',
    'http://user:pass@example.org/',
  ])('do not fetch %s, where addresses are allowed either', async (image) => {
    const { status, body } = await open.post(SINGLE, { image, upscaler_1: 'Lanczos' });
    expect([status, (body as { detail: string }).detail]).toEqual([
      500,
      expect.stringMatching(/^Invalid encoded image: image: .*the address must not /),
    ]);
  });

  it('refuse to restore faces without the weights for it, rather than leave them as they are', async () => {
    const { status, body } = await service.post(SINGLE, { image: PHOTO, codeformer_visibility: 1 });
    expect([status, body]).toEqual([
      503,
      expect.objectContaining({ error: 'HTTPException', detail: expect.stringContaining('MODEL_DOWNLOADS') }),
    ]);
  });

  it('keep parameters beside what they did, in a PNG, in WebP as a comment, and from there in a PNG again', async () => {
    const text = 'a cat, größer\nNegative prompt: dog\nSteps: 20, Sampler: Euler a, Size: 101x67';
    const chunks = [{ type: 'tEXt', data: Buffer.from(`parameters\0${text}`, 'latin1') }];
    const png = noisyPng({ width: 20, height: 10, chunks }).toString('base64');
    const asked = { upscaler_1: 'Nearest', upscaling_resize: 2 };
    const textsOf = (answer: JsonAnswer): string[] =>
      readPngChunks(pictureOf(answer))
        .filter(({ type }) => type === 'tEXt')
        .map(({ data }) => Buffer.from(data).toString('latin1'));
    const done = 'postprocessing\0Postprocess upscale by: 2, Postprocess upscaler: Nearest';
    expect(textsOf(await service.post(SINGLE, { image: png, ...asked }))).toEqual([`parameters\0${text}`, done]);

    expect((await service.post('/sdapi/v1/options', { samples_format: 'webp', some_other: [1] })).body).toBeNull();
    expect((await service.get('/sdapi/v1/options')).body).toMatchObject({ samples_format: 'webp', some_other: [1] });
    const webp = pictureOf(await service.post(SINGLE, { image: png, ...asked }));
    expect((await sharp(webp).metadata()).format).toBe('webp');
    await service.post('/sdapi/v1/options', { samples_format: 'png' });
    const again = await service.post(SINGLE, { image: webp.toString('base64'), ...asked });
    expect(textsOf(again)).toEqual([`parameters\0${text}`, done]);

    const parameters = {
      Prompt: 'a cat, größer',
      'Negative prompt': 'dog',
      Steps: '20',
      Sampler: 'Euler a',
      'Size-1': '101',
      'Size-2': '67',
    };
    const info = async (image: string): Promise<unknown> => (await service.post('/sdapi/v1/png-info', { image })).body;
    expect(await info(png)).toEqual({ info: text, items: {}, parameters });
    expect(await info(webp.toString('base64'))).toEqual({ info: text, items: { 'exif comment': text }, parameters });
    expect((await service.get(`/sdapi/v1/png-info?image=${encodeURIComponent(png)}`)).body).toMatchObject({
      info: text,
    });
  });

  it('answer several pictures in their order, and what SD.Next calls the same', async () => {
    const other = noisyPng({ width: 20, height: 30 }).toString('base64');
    const imageList = [
      { data: PHOTO, name: 'a.png' },
      { data: other, name: 'b.png' },
    ];
    // What was made once comes out of the cache.
    for (const path of ['/sdapi/v1/extra-batch-images', '/sdapi/v1/process-batch']) {
      const { body } = await service.post(path, { imageList, upscaler_1: 'Nearest', upscaling_resize: 2 });
      const images = (body as { images: string[] }).images.map((image) => readPng(Buffer.from(image, 'base64')));
      expect(images.map(sizeOf)).toEqual([
        [202, 134],
        [40, 60],
      ]);
    }
    const { status } = await service.post('/sdapi/v1/process', {
      image: PHOTO,
      script_args: {},
      upscaler_1: 'Nearest',
    });
    expect(status).toBe(200);
  });

  it('tell how far they are tile by tile, to whoever asks by a task id as well, and stop when they are interrupted', async () => {
    const image = noisyPng({ width: 700, height: 700 }).toString('base64');
    const answer = service.post(SINGLE, { image, upscaler_1: 'Compact 2x', force_task_id: 'task(1)' });
    const early = await until(({ state }) => state.sampling_step > 1);
    const later = await until(({ state }) => state.sampling_step > early.state.sampling_step + 1);
    expect(later.progress).toBeGreaterThan(early.progress);
    expect(later.progress).toBeCloseTo(0.02 + 0.88 * (later.state.sampling_step / later.state.sampling_steps), 1);
    expect(later.state).toMatchObject({ job_count: 1, sampling_steps: early.state.sampling_steps });
    const task = await service.post('/internal/progress', { id_task: 'task(1)', id_live_preview: -1 });
    expect(task.body).toMatchObject({ active: true, queued: false, completed: false, id_live_preview: -1 });
    expect(await service.post('/sdapi/v1/interrupt', {})).toMatchObject({ status: 200, body: {} });
    expect(await answer).toMatchObject({ status: 409, body: { detail: expect.stringMatching(/^Interrupted/) } });
    expect(await until(({ state }) => state.job_count === 0)).toMatchObject({ progress: 0 });
    const over = await service.post('/internal/progress', { id_task: early.state.job });
    expect(over.body).toMatchObject({ active: false, completed: true });
  });

  it('stop when the caller hangs up', async () => {
    const image = noisyPng({ width: 701, height: 700 }).toString('base64');
    const hangUp = new AbortController();
    const call = fetch(service.url + SINGLE, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ image, upscaler_1: 'Compact 2x' }),
      signal: hangUp.signal,
    }).catch((error: unknown) => (error as Error).name);
    await until(({ state }) => state.sampling_step > 0);
    hangUp.abort();
    expect(await call).toBe('AbortError');
    await until(({ state }) => state.job_count === 0);
    const { jobs } = (await service.get('/jobs?limit=1')).body as { jobs: { status: string; method: string }[] };
    expect(jobs).toMatchObject([{ status: 'cancelled', method: 'extras' }]);
  });
});

describe('the probes of the A1111 routes', () => {
  const KEY = 'a-key-of-the-test';
  const basic = (password: string): Record<string, string> => ({
    Authorization: `Basic ${Buffer.from(`anyone:${password}`).toString('base64')}`,
  });
  let service: A1111Service;

  beforeAll(async () => {
    service = await a1111Service({ API_KEY: KEY });
  });
  afterAll(() => service.close());

  it('begin their list of upscalers with None, and leave out what cannot be had', async () => {
    const { body } = await service.get('/sdapi/v1/upscalers', basic(KEY));
    expect((body as { name: string }[]).map(({ name }) => name)).toEqual([
      'None',
      'Lanczos',
      'Nearest',
      'Bilinear',
      'Bicubic',
      'R-ESRGAN 4x+',
      'Compact 2x',
      'AUTO',
    ]);
    expect(body).toContainEqual(
      expect.objectContaining({ name: 'R-ESRGAN 4x+', model_path: 'RealESRGAN_x4plus.pth', scale: 4 }),
    );
  });

  it('name the six R-ESRGAN models of the WebUI, and where they are published', async () => {
    const { body } = await service.get('/sdapi/v1/realesrgan-models', basic(KEY));
    const models = body as { name: string; path: string; scale: number }[];
    expect(models.map(({ name }) => name).sort()).toEqual([
      'R-ESRGAN 2x+',
      'R-ESRGAN 4x+',
      'R-ESRGAN 4x+ Anime6B',
      'R-ESRGAN AnimeVideo',
      'R-ESRGAN General 4xV3',
      'R-ESRGAN General WDN 4xV3',
    ]);
    expect(models.every(({ path }) => path.startsWith('https://'))).toBe(true);
  });

  it.each([
    ['get', 'latent-upscale-modes', []],
    ['get', 'sd-vae', []],
    ['get', 'loras', []],
    ['get', 'hypernetworks', []],
    ['get', 'prompt-styles', []],
    ['get', 'artist-categories', []],
    ['get', 'artists', []],
    ['get', 'samplers', []],
    ['get', 'schedulers', []],
    ['get', 'sd-models', []],
    ['get', 'embeddings', { loaded: {}, skipped: {} }],
    ['get', 'scripts', { txt2img: [], img2img: [] }],
    ['get', 'cmd-flags', expect.objectContaining({ api: true })],
    [
      'get',
      'face-restorers',
      [
        { name: 'CodeFormer', cmd_dir: null },
        { name: 'GFPGAN', cmd_dir: null },
      ],
    ],
    ['get', 'memory', expect.objectContaining({ ram: expect.objectContaining({ total: expect.any(Number) }) })],
    ['get', 'progress', expect.objectContaining({ progress: 0, state: expect.objectContaining({ job_count: 0 }) })],
    ['post', 'refresh-checkpoints', null],
    ['post', 'interrupt', {}],
    ['post', 'skip', null],
  ] as const)('answer to %s %s by JSON', async (method, name, expected) => {
    const path = `/sdapi/v1/${name}`;
    const answer = method === 'get' ? service.get(path, basic(KEY)) : service.post(path, {}, basic(KEY));
    const { status, body, headers } = await answer;
    expect([status, body]).toEqual([200, expected]);
    expect(Number(headers.get('x-process-time'))).toBeGreaterThanOrEqual(0);
  });

  it('let in who has a key as password, and ask others for one without starting anything', async () => {
    const body = { image: noisyPng().toString('base64'), upscaler_1: 'Nearest' };
    expect((await service.post(SINGLE, body, basic(KEY))).status).toBe(200);
    for (const headers of [{}, basic('wrong'), { Authorization: 'Basic bm9jb2xvbg==' }]) {
      const refused = await service.post(SINGLE, body, headers);
      expect([refused.status, refused.body]).toEqual([401, { detail: expect.stringContaining('API key') }]);
      expect(refused.headers.get('www-authenticate')).toMatch(/^Basic realm=/);
    }
    const { jobs } = (await service.get('/jobs', basic(KEY))).body as { jobs: unknown[] };
    expect(jobs).toHaveLength(1);
    expect((await fetch(`${service.url}/jobs`)).headers.get('www-authenticate')).toMatch(/^Bearer /);
  });
});
