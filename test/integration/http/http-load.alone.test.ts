import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import request from 'supertest';
import { noise } from '../../support/images/images.ts';
import { openLoop, quantile } from '../../support/servers/open-loop.ts';
import { writePng } from '../../support/images/png.ts';
import { residentMemory } from '../../support/resident-memory.ts';
import type { ServeProcess } from '../../support/servers/serve-process.ts';
import { serveProcess } from '../../support/servers/serve-process.ts';
import { SlowClients } from '../../support/servers/slow-clients.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const MAX_QUEUE = 150;
const SMALL = writePng(noise({ width: 40, height: 30, channels: 3, depth: 8 }));
/** Keeps a network busy for longer than the test takes. */
const LARGE = await sharp({ create: { width: 3000, height: 3000, channels: 3, background: '#888' } })
  .png()
  .toBuffer();

/** Gross limits, for other tests share the machine; `npm run bench -- load` has the figures. */
describe('the service under load', () => {
  let folder: TemporaryFolder;
  let server: ServeProcess;

  beforeAll(async () => {
    folder = await temporaryFolder();
    server = await serveProcess(folder.path, { MAX_QUEUE: String(MAX_QUEUE) });
  });
  afterAll(async () => {
    await server.kill();
    await folder.remove();
  });

  const post = (path: string, image: Buffer) => request(server.url).post(path).type('image/png').send(image);
  const submit = async (image: Buffer, upscaler: string) => {
    const response = await post(`/upscale?scale=2&upscaler=${upscaler}`, image).set('Prefer', 'respond-async');
    const { job_id: id = '' } = response.body as { job_id?: string };
    return { status: response.status, retryAfter: response.get('Retry-After'), id };
  };
  const stage = async (id: string): Promise<string> =>
    ((await request(server.url).get(`/jobs/${id}`)).body as { stage: string }).stage;

  it('serves one client among 500 that send next to nothing', async () => {
    const slow = await SlowClients.connect(Number(new URL(server.url).port), 500);
    expect((await post('/upscale?upscaler=NEAREST&scale=2', SMALL)).status).toBe(200);
    expect(slow.open).toBeGreaterThan(450);
    slow.close();
  }, 60_000);

  it('answers 100 requests a second while a network keeps every core busy, and refuses what is too many', async () => {
    const busy = await submit(LARGE, 'COMPACT_X2');
    while ((await stage(busy.id)) !== 'upscaling');
    const times = await openLoop({ perSecond: 100, seconds: 2 }, async (index) => {
      if (index % 2 === 1) await stage(busy.id);
      else expect((await submit(SMALL, 'NEAREST')).status).toBe(202);
    });
    expect(await stage(busy.id)).toBe('upscaling');
    expect(
      quantile(
        times.map(({ ms }) => ms),
        0.9,
      ),
    ).toBeLessThan(1500);

    for (let { status } = busy; status === 202;) ({ status } = await submit(SMALL, 'NEAREST'));
    const before = residentMemory(server.pid);
    const flood = await openLoop({ perSecond: 250, seconds: 2 }, () => submit(SMALL, 'NEAREST'));
    const refusals = flood.filter(({ answer }) => answer.status === 429);
    expect(refusals.length).toBeGreaterThan(flood.length * 0.9);
    for (const { answer } of refusals) expect(Number(answer.retryAfter)).toBeGreaterThan(0);
    expect(
      quantile(
        refusals.map(({ ms }) => ms),
        0.5,
      ),
    ).toBeLessThan(1000);
    expect(residentMemory(server.pid) / before).toBeLessThan(1.5);
  }, 60_000);
});
