import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import type { Socket } from 'socket.io-client';
import { io } from 'socket.io-client';
import { childProcesses } from '../../support/child-processes.ts';
import { HAS_REDIS, RedisServer } from '../../support/servers/redis-server.ts';
import { S3Server } from '../../support/servers/s3-server.ts';
import type { ServeProcess } from '../../support/servers/serve-process.ts';
import { serveProcess } from '../../support/servers/serve-process.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

interface JobAnswer {
  readonly job_id: string;
  readonly status: string;
  readonly queue_position: number;
  readonly results: readonly { readonly url: string; readonly sha256: string }[];
}

(HAS_REDIS ? describe : describe.skip)('two server processes on one Redis, with no folder in common', () => {
  let redis: RedisServer;
  let storage: S3Server;
  let folder: TemporaryFolder;
  let first: ServeProcess;
  let second: ServeProcess;
  let image: Buffer;

  beforeAll(async () => {
    redis = await RedisServer.start();
    folder = await temporaryFolder();
    storage = await S3Server.start(folder.path);
    // Noise is as much work as there can be.
    image = await sharp({
      create: { width: 2000, height: 2000, channels: 3, background: 'teal', noise: { type: 'gaussian', sigma: 50 } },
    })
      .jpeg()
      .toBuffer();
    first = await serve('first');
  }, 60_000);

  afterAll(async () => {
    await first.kill();
    await second.kill();
    await storage.kill();
    await redis.remove();
    await folder.remove();
  });

  const serve = (name: string): Promise<ServeProcess> =>
    serveProcess(join(folder.path, name), { REDIS_URL: redis.url, ...storage.env });
  const submit = async ({ url }: ServeProcess, query: string): Promise<string> => {
    const headers = { 'Content-Type': 'image/jpeg', Prefer: 'respond-async' };
    const body = new Uint8Array(image);
    const response = await fetch(`${url}/upscale?${query}`, { method: 'POST', headers, body });
    expect(response.status).toBe(202);
    return ((await response.json()) as JobAnswer).job_id;
  };
  const jobOf = async ({ url }: ServeProcess, id: string): Promise<JobAnswer> =>
    (await (await fetch(`${url}/jobs/${id}`)).json()) as JobAnswer;
  const follow = async ({ url }: ServeProcess, id: string): Promise<{ socket: Socket; ended: Promise<string> }> => {
    const socket = io(url, { transports: ['websocket'] });
    const ended = new Promise<string>((resolve) => {
      for (const event of ['completed', 'failed', 'cancelled']) socket.on(event, () => resolve(event));
    });
    expect(await socket.emitWithAck('subscribe', { job_id: id })).toMatchObject({ ok: true });
    return { socket, ended };
  };

  it('run, follow and fetch on the one what the other has accepted, and cancel what the other runs', async () => {
    // The first has one worker, and this takes it longer than all that follows.
    const long = await submit(first, 'upscaler=COMPACT_X2&scale=2');
    while ((await jobOf(first, long)).status !== 'processing') await sleep(20);
    second = await serve('second');

    const id = await submit(first, 'upscaler=BICUBIC&scale=0.5');
    const { socket, ended } = await follow(first, id);
    const events = await (await fetch(`${first.url}/jobs/${id}/events`)).text();
    expect(await ended).toBe('completed');
    socket.disconnect();
    expect(events.match(/^event: (completed|failed|cancelled)$/gm)).toEqual(['event: completed']);
    expect(await jobOf(first, long)).toMatchObject({ status: 'processing' });

    const { results } = await jobOf(second, id);
    const result = await fetch(`${second.url}/jobs/${id}/results/0`);
    expect(result.headers.get('ETag')).toBe(`"${results[0]?.sha256}"`);
    expect(await sharp(Buffer.from(await result.arrayBuffer())).metadata()).toMatchObject({
      width: 1000,
      height: 1000,
    });

    const workers = childProcesses(first.pid);
    const asked = performance.now();
    const cancelled = await fetch(`${second.url}/jobs/${long}`, { method: 'DELETE' });
    expect(await cancelled.json()).toMatchObject({ status: 'cancelled' });
    while (workers.every((pid) => childProcesses(first.pid).includes(pid))) await sleep(10);
    expect(performance.now() - asked).toBeLessThan(1000);
    expect(await jobOf(first, long)).toMatchObject({ status: 'cancelled' });
    // What either has taken in, run or fetched is where both find it, and nothing of it twice.
    const kept = async (): Promise<string[]> =>
      (await folder.jobFiles())
        .filter((file) => /_object$|\/in\//.test(file))
        .map((file) => file.replace(/\._.*$/, ''));
    while ((await kept()).length > 1) await sleep(20);
    expect(await kept()).toEqual([`s3/jobs/some/where/results/${id}/1/0.jpg`]);
  }, 120_000);

  it('say that they are not ready while Redis is away, and lose nothing by it', async () => {
    const id = await submit(first, 'upscaler=NEAREST&scale=0.1');
    await redis.kill();
    const asked = performance.now();
    const refused = await fetch(`${first.url}/upscale?upscaler=NEAREST`, {
      method: 'POST',
      body: new Uint8Array(image),
    });
    expect([refused.status, refused.headers.get('Retry-After')]).toEqual([503, '5']);
    expect(await refused.json()).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' });
    expect(performance.now() - asked).toBeLessThan(3000);
    expect((await fetch(`${first.url}/health/ready`)).status).toBe(503);
    expect((await fetch(`${first.url}/health/live`)).status).toBe(200);
    expect((await fetch(`${first.url}/metrics`)).status).toBe(200);
    await redis.resume();
    while ((await fetch(`${first.url}/health/ready`)).status !== 200) await sleep(20);
    while (!['completed', 'failed'].includes((await jobOf(second, id)).status)) await sleep(20);
    expect(await jobOf(second, id)).toMatchObject({ status: 'completed' });
  }, 60_000);
});
