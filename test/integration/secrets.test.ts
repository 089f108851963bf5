import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { io } from 'socket.io-client';
import request from 'supertest';
import { HAS_REDIS, RedisServer } from '../support/servers/redis-server.ts';
import type { TemporaryFolder } from '../support/temporary-folder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const CLI = fileURLToPath(new URL('../../app/cli/main.ts', import.meta.url));
const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

/** Nothing that a run writes or answers may contain this. */
const CANARY = 'canary7f3a';
const KEY = `${CANARY}-right`;

/** A server on its own, and one that shares its jobs. */
const KINDS = HAS_REDIS ? (['alone', 'sharing'] as const) : (['alone'] as const);

describe.each(KINDS)('what is secret to a server, %s', (kind) => {
  let redis: RedisServer | undefined;
  let folder: TemporaryFolder;
  let child: ChildProcess;
  let url: string;
  let output = '';

  beforeEach(async () => {
    folder = await temporaryFolder();
    redis = kind === 'sharing' ? await RedisServer.start({ password: `${CANARY}-redis` }) : undefined;
    child = spawn(process.execPath, ['--import', TSX, CLI, 'serve', '--port', '0'], {
      env: {
        PATH: process.env['PATH'],
        UPLOAD_FOLDER: join(folder.path, 'in'),
        PROCESSED_FOLDER: join(folder.path, 'out'),
        MODEL_DOWNLOADS: 'false',
        LOG_LEVEL: 'debug',
        API_KEY: KEY,
        WEBHOOKS_ENABLED: 'true',
        WEBHOOK_SECRET: `${CANARY}-webhook-secret`,
        REDIS_URL: redis?.url,
        AWS_ACCESS_KEY_ID: `${CANARY}-id`,
        AWS_SECRET_ACCESS_KEY: `${CANARY}-secret`,
        AWS_SESSION_TOKEN: `${CANARY}-token`,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    output = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (output += text));
    const [line] = (await once(child.stdout?.setEncoding('utf8') ?? child, 'data')) as [string];
    url = /http:\S+/.exec(line)?.[0] ?? '';
  });

  afterEach(async () => {
    child.kill('SIGKILL');
    await redis?.remove();
    await folder.remove();
  });

  it('is in no log, no answer and no file, whatever goes right or wrong', async () => {
    const image = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    const answers = [
      await request(url).post('/upscale?upscaler=NEAREST').set('X-API-KEY', KEY).type('image/png').send(image),
      await request(url).post('/upscale').set('X-API-KEY', KEY).type('image/png').send('no image'),
      await request(url)
        .post('/upscale?upscaler=NONE')
        .set('Authorization', `Bearer ${KEY}`)
        .type('image/png')
        .send(image),
      await request(url).get('/jobs').set('X-API-KEY', KEY),
      await request(url).get('/metrics').set('X-API-KEY', KEY),
      await request(url).get(`/jobs?api_key=${KEY}`),
      await request(url).get('/models').set('X-API-KEY', `${CANARY}-wrong`),
      await request(url).get('/jobs').set('Authorization', `Basic ${CANARY}`),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 400, 400, 200, 200, 401, 401, 401]);
    const socket = io(url, { auth: { api_key: `${CANARY}-wrong` }, reconnection: false });
    const refused = await new Promise<Error>((resolve) => socket.once('connect_error', resolve));
    socket.disconnect();

    const told = [...answers.map(({ headers, text }) => JSON.stringify(headers) + text), refused.message];
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
    const files = await Promise.all((await folder.files()).map((file) => readFile(join(folder.path, file), 'latin1')));
    if (redis) files.push(await redis.stored());
    for (const text of [...told, ...files, output]) expect(text).not.toContain(CANARY);
    expect(output).toContain('"message":"request"');
    expect(files.some((text) => text.includes('"caller":"key-'))).toBe(true);
  });

  it('is not handed on to the processes that decode what strangers send', async () => {
    const environments = await Promise.all(
      (await childrenOf(child.pid ?? 0)).map((pid) => readFile(`/proc/${pid}/environ`, 'latin1')),
    );
    expect(environments.length).toBeGreaterThan(0);
    for (const environment of environments) expect(environment).not.toContain(CANARY);
  });
});

async function childrenOf(pid: number): Promise<readonly string[]> {
  return (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).split(' ').filter(Boolean);
}
