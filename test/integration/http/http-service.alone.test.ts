import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import type { Socket } from 'socket.io-client';
import { io } from 'socket.io-client';
import request from 'supertest';
import { loadConfig } from '../../../app/config.ts';
import type { RunningService } from '../../../app/main.ts';
import { startService } from '../../../app/main.ts';
import { childProcesses } from '../../support/child-processes.ts';
import { metadataBomb, pixelBomb, tinyPng } from '../../support/images/hostile-images.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const READERS = fileURLToPath(new URL('../../fixtures/readers', import.meta.url));
/** Keeps one worker busy for some seconds: AVIF is slow to encode. */
const slow = (side: number): string =>
  `/upscale?upscaler=NEAREST&width=${side}&height=${side}&output_format=avif&quality=90`;

interface Problem {
  readonly code: string;
  readonly detail: string;
  readonly status: number;
}

interface JobBody {
  readonly status: string;
  readonly eta_seconds: number | null;
  /** 0 to 1. */
  readonly progress: number;
}

interface Progress {
  readonly job_id: string;
  readonly stage: string;
  readonly progress: number;
}

describe('the service', () => {
  let folder: TemporaryFolder;
  let service: RunningService;

  beforeAll(async () => {
    folder = await temporaryFolder();
    service = await startService({
      ...loadConfig({ MODELS_DIR: READERS, MODEL_DOWNLOADS: 'false', LOG_LEVEL: 'error' }),
      port: 0,
      uploadFolder: join(folder.path, 'in'),
      processedFolder: join(folder.path, 'out'),
    });
  });

  afterAll(async () => {
    await service.close();
    expect(await inputs()).toEqual([]);
    expect(childProcesses()).toEqual([]);
    await folder.remove();
  });

  const photo = (width: number, height: number, channels: 1 | 3 | 4 = 3): Promise<Buffer> =>
    sharp(Buffer.from(Array.from({ length: width * height * channels }, (_, index) => (index * 37) % 256)), {
      raw: { width, height, channels },
    })
      .png()
      .toBuffer();
  const post = (path: string, image: Buffer, type = 'image/png') =>
    request(service.url).post(path).set('Content-Type', type).send(image).buffer(true);
  const inputs = async (): Promise<string[]> => (await folder.jobFiles()).filter((file) => file.startsWith('in/'));
  const sizeOf = async (image: unknown): Promise<string> => {
    const { format, width, height } = await sharp(image as Buffer).metadata();
    return `${format} ${width}x${height}`;
  };

  it('tells while it works on 20 tiles when they will be done, never 0, and near to what comes true', async () => {
    const asked = await post('/jobs?method=upscale&upscaler=COMPACT_X2&tile=128', await photo(640, 512)).expect(202);
    const { job_id: id } = asked.body as Progress;
    const told: { readonly atMs: number; readonly seconds: number; readonly share: number }[] = [];
    for (;;) {
      const job = (await request(service.url).get(`/jobs/${id}`)).body as JobBody;
      if (job.status === 'completed') break;
      expect(['queued', 'processing']).toContain(job.status);
      const { progress, eta_seconds: seconds } = job;
      if (job.status === 'processing' && seconds !== null)
        told.push({ atMs: performance.now(), seconds, share: progress });
      await sleep(50);
    }
    const endMs = performance.now();
    expect(told.length).toBeGreaterThan(5);
    expect(Math.min(...told.map(({ seconds }) => seconds))).toBeGreaterThanOrEqual(1);
    const [first] = told;
    const spanSeconds = (endMs - (first?.atMs ?? endMs)) / 1000;
    // Whole seconds are told, and a machine is not equally fast all the time.
    const errors = told
      .filter(({ share }) => share > 0.5)
      .map(({ atMs, seconds }) => Math.abs(seconds - (endMs - atMs) / 1000));
    const middle = [...errors].sort((a, b) => a - b)[Math.floor(errors.length / 2)] ?? Infinity;
    expect(middle).toBeLessThan(1 + spanSeconds / 3);
  });

  it('enlarges an image, and says what it did', async () => {
    const response = await post('/upscale?upscaler=LANCZOS&scale=2.5', await photo(41, 21));
    expect([response.status, await sizeOf(response.body)]).toEqual([200, 'png 102x52']);
    expect(response.headers).toMatchObject({ 'x-model': 'LANCZOS', 'x-device': 'cpu', 'content-type': 'image/png' });
    expect(response.headers['server-timing']).toMatch(/^queue;dur=[\d.]+, decode;dur=/);
    expect(await inputs()).toEqual([]);
  });

  it('gives the same bytes for the same request', async () => {
    const image = await photo(40, 30);
    const [first, second] = [
      await post('/upscale?upscaler=BICUBIC', image),
      await post('/upscale?upscaler=BICUBIC', image),
    ];
    expect(second.headers['etag']).toBe(first.headers['etag']);
    expect(second.body).toEqual(first.body);
    expect(first.headers['server-timing']).toContain('decode;dur=');
    expect(second.headers['server-timing']).toContain('cache;dur='); // it was not made again
  });

  it('names the result after the image, whatever that is called', async () => {
    const response = await request(service.url)
      .post('/upscale')
      .field({ upscaler: 'NEAREST', output_format: 'webp' })
      .attach('file', await photo(4, 4), { filename: '../été "1".png' });
    expect(response.headers['content-disposition']).toBe(
      `attachment; filename="?t? 1_upscaled.webp"; filename*=UTF-8''%C3%A9t%C3%A9%201_upscaled.webp`,
    );
  });

  it('enlarges images in JSON', async () => {
    const response = await request(service.url)
      .post('/hires-fix')
      .send({
        images: [(await photo(8, 8)).toString('base64'), (await photo(5, 3, 4)).toString('base64')],
        config: { upscaler: 'NEAREST', upscale_factor: 3 },
      });
    const { images, info } = response.body as { images: string[]; info: Record<string, unknown> };
    expect(await Promise.all(images.map((image) => sizeOf(Buffer.from(image, 'base64'))))).toEqual([
      'png 24x24',
      'png 15x9',
    ]);
    expect(info).toMatchObject({
      upscaler: 'NEAREST',
      scale: 3,
      fallbacks: [],
      images: [{ output: { width: 24, height: 24 } }, { input: { width: 5, height: 3 } }],
    });
  });

  describe('answers bad input with a problem, and goes on', () => {
    const jpeg = async (): Promise<Buffer> =>
      sharp(await photo(200, 200))
        .jpeg()
        .toBuffer();
    const svg = Buffer.from(
      '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>',
    );
    const good = (): Promise<Buffer> => photo(9, 9);
    type Case = readonly [name: string, expected: Expected];
    interface Expected {
      readonly image?: () => Buffer | Promise<Buffer>;
      readonly query?: string;
      readonly status: number;
      readonly code: string;
      readonly detail: RegExp;
    }
    const bad = (code: string, detail: RegExp, more: Partial<Expected> = {}): Expected => ({
      status: 400,
      code,
      detail,
      ...more,
    });
    const truncated = async (): Promise<Buffer> => (await jpeg()).subarray(0, 2000);
    const cases: readonly Case[] = [
      ['an empty file', bad('ERR_BAD_IMAGE', /empty/i, { image: () => Buffer.alloc(0) })],
      ['a truncated JPEG', bad('ERR_BAD_IMAGE', /^image: /, { image: truncated })],
      ['text named .png', bad('ERR_BAD_IMAGE', /PNG/, { image: () => Buffer.from('hello, I am text') })],
      ['SVG', bad('ERR_UNSUPPORTED_IMAGE', /SVG/, { image: () => svg, status: 415 })],
      ['40,000 x 40,000 pixels', bad('ERR_IMAGE_TOO_LARGE', /40000x40000/, { image: pixelBomb, status: 413 })],
      ['an unknown upscaler', bad('ERR_UNKNOWN_UPSCALER', /FANCY.*LANCZOS/, { query: 'upscaler=FANCY' })],
      ['scale 0', bad('ERR_BAD_PARAMETER', /^scale: must be a number above 0, got "0"$/, { query: 'scale=0' })],
      ['scale -1', bad('ERR_BAD_PARAMETER', /^scale: must be a number above 0, got "-1"$/, { query: 'scale=-1' })],
      ['scale NaN', bad('ERR_BAD_PARAMETER', /^scale: must be a number above 0, got "NaN"$/, { query: 'scale=NaN' })],
      ['scale 1e9', bad('ERR_OUTPUT_TOO_LARGE', /MAX_OUTPUT_PIXELS/, { query: 'scale=1e9', status: 413 })],
      ['scale and width', bad('ERR_BAD_PARAMETER', /^scale: must not come with width: /, { query: 'scale=2&width=9' })],
      [
        'a checkpoint that is HTML',
        bad('ERR_BAD_CHECKPOINT', /HTML/i, { query: 'upscaler=bad_html.pth', status: 503 }),
      ],
      [
        'a hostile pickle',
        bad('ERR_BAD_CHECKPOINT', /system/, { query: 'upscaler=bad_os_system_reduce.pth', status: 503 }),
      ],
      ['a file elsewhere', bad('ERR_UNKNOWN_UPSCALER', /package/, { query: 'upscaler=../../package.json' })],
      [
        'a model that is not installed',
        bad('ERR_MODEL_UNAVAILABLE', /RealESRGAN_x4plus.pth/, { query: 'upscaler=REALESRGAN_X4PLUS', status: 503 }),
      ],
    ];

    it.each(cases)('%s', async (_name, { image = good, query = '', status, code, detail }) => {
      const upscaler = query.includes('upscaler') ? '' : 'upscaler=NEAREST&';
      const response = await post(`/upscale?${upscaler}${query}`, await image());
      const problem = response.body as Problem;
      expect([response.status, problem.code]).toEqual([status, code]);
      expect(problem.detail).toMatch(detail);
      expect(problem.detail).not.toContain(folder.path);
      expect(await inputs()).toEqual([]);
    });

    afterAll(async () => {
      expect((await post('/upscale?upscaler=NEAREST', await good())).status).toBe(200);
    });
  });

  it.each<[string, () => Buffer | Promise<Buffer>]>([
    ['1x1', () => photo(1, 1)],
    ['1x5000', () => photo(1, 5000)],
    ['5x3', () => photo(5, 3)],
    ['with a metadata bomb', metadataBomb],
    ['of one gray pixel', () => tinyPng()],
    [
      'with a palette',
      async () =>
        sharp(await photo(20, 20))
          .png({ palette: true, colors: 4 })
          .toBuffer(),
    ],
    [
      'of CMYK',
      async () =>
        sharp(await photo(20, 20))
          .toColourspace('cmyk')
          .jpeg()
          .toBuffer(),
    ],
  ])('takes an image %s', async (_name, image) => {
    const response = await post('/upscale?upscaler=LANCZOS&scale=2', await image());
    expect(response.status).toBe(200);
    expect((await sharp(response.body as Buffer).metadata()).width).toBeGreaterThan(1);
  });

  describe('while a job runs', () => {
    const sockets: Socket[] = [];
    const follow = async (key: string): Promise<Socket> => {
      const socket = io(service.url, { forceNew: true, reconnection: false, transports: ['websocket'] });
      sockets.push(socket);
      await new Promise((resolve) => socket.once('connect', () => resolve(undefined)));
      await socket.timeout(5000).emitWithAck('subscribe', { idempotency_key: key });
      return socket;
    };
    const stage = (socket: Socket, name: string): Promise<Progress> =>
      new Promise((resolve) => {
        socket.on('progress', (progress: Progress) => {
          if (progress.stage === name) resolve(progress);
        });
      });
    const start = async (key: string, side = 5000) => {
      const socket = await follow(key);
      const encoding = stage(socket, 'encoding');
      const response = post(slow(side), await photo(64, 64)).set('Idempotency-Key', key);
      const answer = response.then((given) => given);
      return { socket, answer, response, progress: await encoding };
    };

    afterAll(() => {
      for (const socket of sockets) socket.disconnect();
    });

    it('answers at once about its health', async () => {
      const { answer } = await start('health', 1200);
      const delays: number[] = [];
      const done = answer.then(() => true);
      while (!(await Promise.race([done, Promise.resolve(false)]))) {
        const asked = performance.now();
        expect((await request(service.url).get('/health/live')).status).toBe(200);
        delays.push(performance.now() - asked);
      }
      expect((await answer).status).toBe(200);
      delays.sort((a, b) => a - b);
      expect(delays.length).toBeGreaterThan(20);
      expect(delays[Math.floor(delays.length * 0.9)]).toBeLessThan(250); // a gross limit: other tests share the machine
    }, 60_000);

    it('turns the third death of its worker into a clear 500, and the next request works', async () => {
      const { answer, socket } = await start('killed');
      const failed = new Promise((resolve) => socket.once('failed', resolve));
      const kill = (): void => childProcesses().forEach((pid) => process.kill(pid, 'SIGKILL'));
      socket.on('progress', ({ stage: now }: Progress) => now === 'encoding' && kill());
      kill();
      const response = await answer;
      socket.off('progress');
      expect(response.status).toBe(500);
      expect(response.body).toMatchObject({
        code: 'ERR_WORKER_CRASHED',
        title: 'Internal processing error',
        detail: expect.stringContaining('SIGKILL'),
      });
      expect(await failed).toMatchObject({ status: 'failed', code: 'ERR_WORKER_CRASHED' });
      expect((await post('/upscale?upscaler=NEAREST', await photo(3, 3))).status).toBe(200);
    });

    it('stops it within a second when it is cancelled', async () => {
      const { answer, progress } = await start('cancelled');
      const workers = childProcesses();
      const asked = performance.now();
      expect((await request(service.url).delete(`/jobs/${progress.job_id}`)).status).toBe(200);
      expect((await answer).status).toBe(409);
      while (childProcesses().some((pid) => workers.includes(pid))) await new Promise(setImmediate);
      expect(performance.now() - asked).toBeLessThan(1000);
    });

    it('stops it when the one who asked goes away', async () => {
      const { answer, response, socket } = await start('gone');
      const cancelled = new Promise((resolve) => socket.once('cancelled', resolve));
      answer.catch(() => undefined);
      response.abort();
      expect(await cancelled).toMatchObject({ status: 'cancelled' });
    });
  });

  it('tells the progress of a request that its caller named, in order, and one end', async () => {
    const socket = io(service.url, { forceNew: true, reconnection: false });
    await once(socket as unknown as NodeJS.EventEmitter, 'connect');
    const events: (Progress & { readonly event: string })[] = [];
    socket.onAny((event: string, payload: Progress) => events.push({ event, ...payload }));
    await socket.timeout(5000).emitWithAck('subscribe', { idempotency_key: 'mine' });
    const completed = new Promise((resolve) => socket.once('completed', resolve));
    const response = await post('/upscale?upscaler=LANCZOS&width=3000&height=2000', await photo(300, 200)).set(
      'Idempotency-Key',
      'mine',
    );
    expect(await completed).toMatchObject({
      job_id: response.headers['x-job-id'],
      progress: 1,
      results: [{ index: 0 }],
    });
    socket.disconnect();
    const progress = events.map((event) => event.progress);
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
    expect(events[0]).toMatchObject({ event: 'progress', stage: 'queued' });
    expect(events.some(({ stage }) => ['resizing', 'encoding'].includes(stage))).toBe(true); // what comes close together is told as one
    expect(events.filter(({ event }) => event !== 'progress').length).toBe(1);
  });
});
