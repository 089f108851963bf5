import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import type { Job, JobResult } from '../../../app/jobs/job.ts';
import { newJobId } from '../../../app/jobs/job.ts';
import { JobFiles } from '../../../app/jobs/job-files.ts';
import { BullJobQueue } from '../../../app/jobs/redis/bull-job-queue.ts';
import { createLogger } from '../../../app/logger.ts';
import { upscaleRequest, writtenResult } from '../../support/made-jobs.ts';
import { ManualHandler } from '../../support/servers/manual-handler.ts';
import { HAS_REDIS, RedisServer } from '../../support/servers/redis-server.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const ENDINGS = ['completed', 'failed', 'cancelled'] as const;
const describeWithRedis = HAS_REDIS ? describe : describe.skip;

/** One of several servers, as far as jobs go. */
class Server {
  readonly handler = new ManualHandler();
  readonly queue: BullJobQueue;
  /** What was told of jobs here, but for progress. */
  readonly told: string[] = [];

  constructor(files: JobFiles, options: { readonly redisUrl: string; readonly prefix: string }) {
    const logger = createLogger({ logLevel: 'error' });
    logger.silent = true;
    const lease = { leaseMs: 2000, stalledCheckMs: 500 };
    this.queue = new BullJobQueue({ ...options, files, logger, workers: 1, maxQueue: 10, lease });
    for (const event of [...ENDINGS, 'settled'] as const) {
      this.queue.events.on(event, ({ id }) => this.told.push(`${event} ${id}`));
    }
  }

  start(): Promise<void> {
    return this.queue.start(this.handler.run);
  }

  /** The end of a job, as it is told here. */
  ending(id: string): Promise<Job> {
    return new Promise((resolve) => {
      for (const event of ENDINGS) this.queue.events.on(event, (job) => job.id === id && resolve(job));
    });
  }

  async close(): Promise<void> {
    const closing = this.queue.close();
    this.handler.failAll();
    await closing;
  }
}

describeWithRedis('servers that share a Redis', () => {
  let redis: RedisServer;
  let folder: TemporaryFolder;
  let files: JobFiles;
  let prefix: string;
  let first: Server;
  let second: Server;

  beforeAll(async () => {
    redis = await RedisServer.start();
  });
  afterAll(() => redis.remove());

  beforeEach(async () => {
    folder = await temporaryFolder();
    files = new JobFiles({ uploadFolder: join(folder.path, 'in'), processedFolder: join(folder.path, 'out') });
    await files.prepare();
    prefix = `{${folder.path}}:`;
    [first, second] = [newServer(), newServer()];
  });

  afterEach(async () => {
    await Promise.all([first.close(), second.close()]);
    await folder.remove();
  });

  const newServer = (): Server => new Server(files, { redisUrl: redis.url, prefix });
  const submit = async (server: Server): Promise<string> =>
    (await server.queue.submit(await upscaleRequest(files))).job.id;
  const written = (job: Job, text: string): Promise<JobResult> => writtenResult(files, job, text);
  /** The first runs a job of its own, so that what it accepts is the second's to run. */
  const occupyFirst = async (): Promise<string> => {
    await first.start();
    const id = await submit(first);
    await first.handler.start(id);
    await second.start();
    return id;
  };
  /** A server stops its run of a job. */
  const stopping = ({ handler }: Server, id: string): Promise<unknown> =>
    new Promise((resolve) => {
      const { signal } = handler.hooks(id);
      signal.addEventListener('abort', resolve);
      if (signal.aborted) resolve(undefined);
    });
  /** What a server that is alive but does not come to its turn loses: the lease of what it runs. */
  const takeLease = async (): Promise<void> => {
    const client = new Redis(redis.url);
    const locks = await client.keys(`${prefix.replaceAll('[', '\\[')}tickets-images:*:lock`);
    await client.del(...locks);
    client.disconnect();
  };

  it('run what another one has accepted, and all tell of it', async () => {
    await occupyFirst();
    const id = await submit(first);
    const job = await second.handler.start(id);
    const moved = new Promise<Job>((resolve) => {
      first.queue.events.on('progress', (now) => now.progress.progress === 0.5 && resolve(now));
    });
    const half = { stage: 'upscaling', progress: 0.5, stageProgress: 0.5, image: 1, images: 1 } as const;
    second.handler.hooks(id).onProgress(half);
    expect(await moved).toMatchObject({ id, status: 'processing' });
    expect(await first.queue.get(id)).toMatchObject({ status: 'processing', attempt: 1, progress: half });
    const endings = [first.ending(id), second.ending(id)];
    second.handler.complete(id, [await written(job, 'result')]);
    expect(await Promise.all(endings)).toMatchObject([{ results: [{ sha256: 'result' }] }, { status: 'completed' }]);
    expect(first.told).toEqual([`completed ${id}`]);
    expect(second.told.sort()).toEqual([`completed ${id}`, `settled ${id}`]);
    expect(existsSync(files.input(id, 0))).toBe(false);
  });

  it('start at once what comes after a silence', async () => {
    await first.start();
    await sleep(3000); // longer than any request waits for Redis
    const id = await submit(first);
    expect((await first.handler.start(id)).attempt).toBe(1);
  });

  it('stop a job that another one was told to cancel', async () => {
    const id = await occupyFirst();
    const stopped = stopping(first, id);
    const ended = first.ending(id);
    const asked = performance.now();
    expect(await second.queue.cancel(id)).toMatchObject({ status: 'cancelled' });
    await Promise.all([stopped, ended]);
    expect(performance.now() - asked).toBeLessThan(1000);
    first.handler.fail(id, new Error('stopped'));
    const next = await submit(second);
    await Promise.race([first.handler.start(next), second.handler.start(next)]);
    expect([...first.told, ...second.told].filter((line) => line.includes(id)).sort()).toEqual([
      `cancelled ${id}`,
      `cancelled ${id}`,
      `settled ${id}`,
    ]);
  });

  it('commit a job once that two of them have run, by what the later made', async () => {
    const id = await occupyFirst();
    const stale = await first.handler.running(id);
    const staleResult = await written(stale, 'stale');
    await takeLease();
    const job = await second.handler.start(id);
    expect(job).toMatchObject({ attempt: 2, status: 'processing' });
    const endings = [first.ending(id), second.ending(id)];
    first.handler.complete(id, [staleResult]);
    second.handler.complete(id, [await written(job, 'fresh')]);
    expect(await Promise.all(endings)).toMatchObject([
      { status: 'completed', results: [{ sha256: 'fresh' }] },
      { status: 'completed', results: [{ sha256: 'fresh' }] },
    ]);
    expect(first.told).toEqual([`completed ${id}`]);
    while ((await folder.jobFiles()).length > 1) await sleep(5);
    expect(await folder.jobFiles()).toEqual([`out/${id}/2/0.png`]);
  });

  it('let nothing that a run does which was overtaken reach the one that counts', async () => {
    const id = await occupyFirst();
    const stopped = stopping(first, id);
    await takeLease();
    const job = await second.handler.start(id);
    await stopped;
    first.handler.hooks(id).onProgress({ stage: 'encoding', progress: 0.9, stageProgress: 1, image: 1, images: 1 });
    first.handler.fail(id, new Error('its worker was killed'));
    const fresh = await written(job, 'fresh');
    const ended = second.ending(id);
    second.handler.complete(id, [fresh]);
    expect(await ended).toMatchObject({ status: 'completed', attempt: 2 });
    expect(existsSync(fresh.file)).toBe(true);
  });

  it('go on where Redis was away, refuse meanwhile what they could not keep, and tell what ended unheard', async () => {
    const running = await occupyFirst();
    const waiting = [await submit(first), await submit(first)] as const;
    const job = await second.handler.start(waiting[0]);
    await redis.kill();
    while (first.queue.isAccepting) await sleep(5);
    await expect(submit(first)).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' });
    await expect(first.queue.get(running)).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' });
    const ended = [first.ending(waiting[0]), second.ending(waiting[0])];
    second.handler.complete(waiting[0], [await written(job, 'result')]);
    await redis.resume();
    expect((await Promise.all(ended)).map(({ status }) => status)).toEqual(['completed', 'completed']);
    await second.handler.start(waiting[1]);
    expect(await first.queue.get(running)).toMatchObject({ status: 'processing', attempt: 1 });
    expect((await folder.jobFiles()).filter((file) => file.startsWith('in/')).length).toBe(2);
  });

  it('hear of an end whose message was lost with a connection', async () => {
    await occupyFirst();
    const id = await submit(first);
    const job = await second.handler.start(id);
    const ended = [first.ending(id), second.ending(id)];
    const result = await written(job, 'result');
    const client = new Redis(redis.url);
    const isEnd = async (): Promise<boolean> => (await client.hget(`${prefix}job:${id}`, 'status')) === 'completed';
    second.handler.complete(id, [result]);
    while (!(await isEnd())) await client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    client.disconnect();
    expect((await Promise.all(ended)).map(({ status }) => status)).toEqual(['completed', 'completed']);
    expect(first.told).toEqual([`completed ${id}`]);
  });

  it('make up for tickets that were lost', async () => {
    const running = await occupyFirst();
    const waiting = await submit(first);
    await second.handler.start(waiting);
    const client = new Redis(redis.url);
    await client.del(...(await client.keys(`${prefix}tickets-*`)));
    client.disconnect();
    const again = [first, second].map(({ handler }) => Promise.race([handler.start(running), handler.start(waiting)]));
    await Promise.all([stopping(first, running), stopping(second, waiting)]);
    first.handler.fail(running, new Error('stopped'));
    second.handler.fail(waiting, new Error('stopped'));
    const jobs = await Promise.all(again);
    expect(jobs.map(({ id }) => id).sort()).toEqual([running, waiting].sort());
    expect(jobs).toMatchObject([{ attempt: 2 }, { attempt: 2 }]);
  }, 60_000);

  it('leave alone at their start what belongs to others', async () => {
    await first.start();
    const running = await submit(first);
    const job = await first.handler.start(running);
    await written(job, 'half');
    const uploading = files.input(newJobId(), 0);
    await writeFile(uploading, 'half');
    await second.start();
    expect(existsSync(uploading)).toBe(true);
    expect(await folder.jobFiles()).toContain(`out/${running}/1/0.png`);
  });

  it('say what a Redis is set to that would lose jobs', async () => {
    const logger = createLogger({ logLevel: 'warn' });
    const warnings: string[] = [];
    logger.on('data', ({ level, message }: { readonly level: string; readonly message: string }) => {
      if (level === 'warn') warnings.push(message);
    });
    logger.transports.forEach((transport) => (transport.silent = true));
    const forgetful = await RedisServer.start({
      settings: ['--maxmemory-policy', 'allkeys-lru', '--appendonly', 'no'],
    });
    const queue = new BullJobQueue({ redisUrl: forgetful.url, files, logger, workers: 1, maxQueue: 1 });
    await queue.start(first.handler.run);
    await queue.close();
    await forgetful.remove();
    expect(warnings).toEqual([
      'Redis may throw jobs away: set maxmemory-policy to noeviction',
      'Redis forgets jobs when it is restarted: set appendonly to yes',
    ]);
  });
});
