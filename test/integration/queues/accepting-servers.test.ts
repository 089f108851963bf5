import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import sharp from 'sharp';
import { parse } from 'yaml';
import { childProcesses } from '../../support/child-processes.ts';
import { eventually } from '../../support/eventually.ts';
import { HAS_REDIS, RedisServer } from '../../support/servers/redis-server.ts';
import { S3Server } from '../../support/servers/s3-server.ts';
import type { ServeProcess } from '../../support/servers/serve-process.ts';
import { serveProcess } from '../../support/servers/serve-process.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const PER_MINUTE = 12;
const SCALED = fileURLToPath(new URL('../../../deploy/keda/scaled-object.yaml', import.meta.url));

(HAS_REDIS ? describe : describe.skip)('two servers that only accept (WORKERS=0), and one that works', () => {
  let redis: RedisServer;
  let storage: S3Server;
  let folder: TemporaryFolder;
  let front: readonly [ServeProcess, ServeProcess];
  let worker: ServeProcess | undefined;

  beforeAll(async () => {
    redis = await RedisServer.start();
    folder = await temporaryFolder();
    storage = await S3Server.start(folder.path);
    const accepting = { WORKERS: '0', RATE_LIMIT_PER_MINUTE: String(PER_MINUTE) };
    front = await Promise.all([serve('one', accepting), serve('two', accepting)]);
  }, 60_000);
  afterAll(async () => {
    for (const server of [...front, worker]) await server?.kill();
    await storage.kill();
    await redis.remove();
    await folder.remove();
  });

  const serve = (name: string, env: Record<string, string> = {}): Promise<ServeProcess> =>
    serveProcess(join(folder.path, name), { REDIS_URL: redis.url, ...storage.env, ...env });

  it('keep a job for whoever works, where an autoscaler finds it counted, and hand out what was made of it', async () => {
    const picture = await sharp({ create: { width: 8, height: 6, channels: 3, background: 'teal' } })
      .png()
      .toBuffer();
    const submitted = await fetch(`${front[0].url}/upscale?upscaler=BICUBIC&scale=2`, {
      method: 'POST',
      headers: { 'Content-Type': 'image/png', Prefer: 'respond-async' },
      body: new Uint8Array(picture),
    });
    expect(submitted.status).toBe(202);
    const { job_id: id } = (await submitted.json()) as { job_id: string };

    const { spec } = parse(await readFile(SCALED, 'utf8')) as {
      spec: { triggers: readonly [{ metadata: { listName: string } }] };
    };
    const connection = new Redis(redis.url);
    const waiting = await connection.hlen(spec.triggers[0].metadata.listName);
    connection.disconnect();
    expect(waiting).toBe(1);
    expect(await statusOf(front[1], id)).toBe('queued');
    const commands = front.flatMap(({ pid }) => childProcesses(pid)).map(commandOf);
    expect(commands.filter((command) => command.includes('worker'))).toEqual([]); // none is forked ahead

    worker = await serve('three');
    const ended = await eventually(
      () => statusOf(worker, id),
      (status) => status === 'completed',
    );
    expect(ended).toBe('completed');
    const result = await fetch(`${front[1].url}/jobs/${id}/results/0`);
    expect(await sharp(Buffer.from(await result.arrayBuffer())).metadata()).toMatchObject({ width: 16, height: 12 });
  }, 60_000);

  it('hold a caller to one limit between them, and each to its own while Redis is away', async () => {
    const answers = [];
    for (let index = 0; index < 2 * PER_MINUTE; index++) {
      answers.push(await fetch(`${front[index % 2 === 0 ? 0 : 1].url}/models`));
    }
    const refused = answers.findIndex(({ status }) => status === 429);
    expect(answers.map(({ status }) => status)).toEqual(answers.map((_, at) => (at < refused ? 200 : 429)));
    expect(refused).toBeLessThanOrEqual(PER_MINUTE);
    expect(Number(answers[refused]?.headers.get('Retry-After'))).toBeGreaterThan(0);
    const remaining = answers.slice(0, refused).map(({ headers }) => Number(headers.get('RateLimit-Remaining')));
    expect(remaining).toEqual(remaining.map((_, at) => refused - 1 - at));

    await redis.kill();
    const own = await fetch(`${front[0].url}/models`);
    expect(own.headers.get('RateLimit-Remaining')).toBe(String(PER_MINUTE - 1));
    await redis.resume();
  }, 60_000);
});

function commandOf(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
}

async function statusOf(server: ServeProcess | undefined, id: string): Promise<string> {
  const answer = await fetch(`${server?.url}/jobs/${id}`);
  return ((await answer.json()) as { status: string }).status;
}
