import { readFileSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { loadConfig } from '../../../app/config.ts';
import type { RunningService } from '../../../app/main.ts';
import { startService } from '../../../app/main.ts';
import type { Content, Faults } from '../../support/servers/fault-server.ts';
import { FaultServer } from '../../support/servers/fault-server.ts';
import { writeCheckpoint } from '../../support/checkpoints/checkpoint-writer.ts';
import { buildManifestTensors, readManifest } from '../../support/checkpoints/hashed-weights.ts';
import { noise } from '../../support/images/images.ts';
import { writePng } from '../../support/images/png.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** Neither its size nor its hash is published, so that any file of a network may stand for it. */
const MODEL = 'ddcolor-paper-tiny';
const FILE = 'ddcolor_paper_tiny.pth';
const PHOTO = writePng(noise({ width: 40, height: 30, channels: 3, depth: 8 }));
/** Of each of eight connections: the whole would take a minute. */
const SLOW: Faults = { bytesPerSecond: 20_000 };

interface JobBody {
  readonly job_id: string;
  readonly status: string;
  readonly stage: string;
  readonly code: string | null;
  readonly error: string | null;
  readonly downloaded_bytes: number | null;
  readonly total_bytes: number | null;
}

/** A network of 18 MB: what is no network would not count as installed. */
function network(file: string): Content {
  const manifest = readManifest('RealESRGAN_x4plus_anime_6B');
  writeCheckpoint(file, buildManifestTensors(manifest), { format: 'pth-zip', root: manifest.root });
  const bytes = readFileSync(file);
  return { size: bytes.length, read: (start, end) => bytes.subarray(start, end) };
}

describe('POST /models/{name}/download', () => {
  let content: Content;
  let origin: FaultServer;
  let folder: TemporaryFolder;
  let service: RunningService;

  beforeAll(async () => {
    // The publisher is never asked: a worker takes its proxy from the environment, and there is none at this port.
    Object.assign(process.env, { http_proxy: '', https_proxy: 'http://127.0.0.1:9', no_proxy: '' });
    origin = await FaultServer.start();
    folder = await temporaryFolder();
    content = network(at('network.pth'));
    service = await startService(
      loadConfig({
        PORT: '0',
        LOG_LEVEL: 'error',
        MODELS_DIR: at('models'),
        UPLOAD_FOLDER: at('in'),
        PROCESSED_FOLDER: at('out'),
        MODEL_MIRROR: origin.url(''),
      }),
    );
  });
  afterEach(async () => {
    await rm(at('models'), { recursive: true, force: true });
    origin.forget();
  });
  afterAll(async () => {
    await service.close(0);
    await folder.remove();
    await origin.close();
  });

  const at = (path: string): string => join(folder.path, path);
  const offer = (faults: Faults = {}): void => void origin.serve(`/${FILE}`, content, faults);
  const start = async (headers: Record<string, string> = {}): Promise<JobBody> => {
    const response = await request(service.url).post(`/models/${MODEL}/download`).set(headers);
    expect(response.status).toBe(202);
    expect(response.headers['location']).toBe(`/jobs/${(response.body as JobBody).job_id}`);
    return response.body as JobBody;
  };
  const job = async (id: string): Promise<JobBody> => (await request(service.url).get(`/jobs/${id}`)).body as JobBody;
  const shown = async (name: string): Promise<Record<string, unknown> | undefined> => {
    const { models } = (await request(service.url).get('/models')).body as { models: Record<string, unknown>[] };
    return models.find((model) => model['name'] === name);
  };
  /** Reads until it is as it should be: what it tells of changes with the disk, not with an event. */
  const until = async <T>(read: () => Promise<T>, isSo: (value: T) => boolean): Promise<T> => {
    for (;;) {
      const value = await read();
      if (isSo(value)) return value;
      await sleep(20);
    }
  };
  const ended = (id: string): Promise<JobBody> =>
    until(
      () => job(id),
      ({ status }) => status !== 'queued' && status !== 'processing',
    );

  it('fetches it as a job that tells its bytes, and is there at once the next time', async () => {
    offer({ bytesPerSecond: 1_500_000 });
    const { job_id: id } = await start({ 'Idempotency-Key': 'once' });
    const events = (await request(service.url).get(`/jobs/${id}/events`)).text;
    const told = [...events.matchAll(/^event: progress\ndata: (.*)$/gm)].map(
      ([, data]) => JSON.parse(data ?? '') as JobBody,
    );
    const bytes = told.filter(({ stage }) => stage === 'downloading').map((event) => event.downloaded_bytes ?? 0);
    expect(new Set(bytes).size).toBeGreaterThan(3);
    expect(bytes).toEqual([...bytes].sort((a, b) => a - b));
    expect(told.at(-1)?.total_bytes).toBe(content.size);
    expect(await job(id)).toMatchObject({
      method: 'download',
      model: MODEL,
      status: 'completed',
      stage: 'downloading',
      progress: 1,
      images: 0,
      results: [],
    });
    expect(await shown(MODEL)).toMatchObject({ installed: true, verified: true, downloading: null });

    expect((await start({ 'Idempotency-Key': 'once' })).job_id).toBe(id);
    const requests = origin.requests.length;
    const again = await request(service.url).post('/models/DDCOLOR_PAPER_TINY/download').set('Prefer', 'wait=60');
    expect([again.status, (again.body as JobBody).status]).toEqual([200, 'completed']);
    expect(origin.requests.length).toBe(requests);
  });

  it('keeps no image waiting, shows in GET /models, and goes on where it was cancelled', async () => {
    offer(SLOW);
    const { job_id: id } = await start();
    const isShown = (model: Record<string, unknown> | undefined): boolean =>
      (model?.['downloading'] as { total_bytes: number | null } | null)?.total_bytes === content.size;
    await until(() => shown(MODEL), isShown);
    const image = await request(service.url).post('/upscale?upscaler=NEAREST').type('image/png').send(PHOTO);
    expect(image.status).toBe(200);
    expect(
      await until(
        () => job(id),
        ({ downloaded_bytes: bytes }) => (bytes ?? 0) > 100_000,
      ),
    ).toMatchObject({ status: 'processing' });

    await request(service.url).delete(`/jobs/${id}`).expect(200);
    await until(
      () => shown(MODEL),
      (model) => model?.['downloading'] === null,
    );
    expect(await readdir(at('models'))).toContain(`${FILE}.part`);
    expect(await readdir(at('models'))).not.toContain(FILE);

    offer();
    origin.forget();
    expect(await ended((await start()).job_id)).toMatchObject({ status: 'completed' });
    expect(origin.sent).toBeLessThan(content.size);
  });

  it('fetches once for two who ask at once', async () => {
    offer({ bytesPerSecond: 1_500_000 });
    const jobs = await Promise.all([start(), start()]);
    expect(new Set(jobs.map(({ job_id: id }) => id)).size).toBe(2);
    for (const { job_id: id } of jobs) expect(await ended(id)).toMatchObject({ status: 'completed' });
    expect(origin.sent).toBeLessThan(content.size * 1.1);
  });

  it('shows a download within a job on images, too', async () => {
    offer(SLOW);
    const response = await request(service.url)
      .post('/colorize?colorize_model=paper_tiny')
      .set('Prefer', 'respond-async')
      .type('image/png')
      .send(PHOTO);
    const { job_id: id } = response.body as JobBody;
    expect(
      await until(
        () => job(id),
        ({ downloaded_bytes: bytes }) => (bytes ?? 0) > 0,
      ),
    ).toMatchObject({
      stage: 'downloading',
      total_bytes: content.size,
    });
    expect(await shown(MODEL)).toMatchObject({ installed: false, downloading: { total_bytes: content.size } });
    await request(service.url).delete(`/jobs/${id}`).expect(200);
  });

  it('says how to get by hand what could not be fetched', async () => {
    origin.serve(`/${FILE}`, content, { failFirst: { requests: Infinity, status: 404 } });
    const { job_id: id } = await start();
    const { status, code, error } = await ended(id);
    expect([status, code]).toEqual(['failed', 'ERR_MODEL_UNAVAILABLE']);
    for (const part of [FILE, 'https://huggingface.co/', 'into MODELS_DIR']) expect(error).toContain(part);
    expect(error).not.toContain(folder.path);
  });
});
