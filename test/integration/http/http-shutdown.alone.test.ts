import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import request from 'supertest';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const CLI = fileURLToPath(new URL('../../../app/cli/main.ts', import.meta.url));
const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

describe('a service that is told to stop', () => {
  let folder: TemporaryFolder;
  let child: ChildProcess;
  let url: string;
  let exited: Promise<unknown[]>;
  let log = '';

  beforeEach(async () => {
    folder = await temporaryFolder();
    child = spawn(process.execPath, ['--import', TSX, CLI, 'serve', '--port', '0'], {
      env: {
        PATH: process.env['PATH'],
        UPLOAD_FOLDER: join(folder.path, 'in'),
        PROCESSED_FOLDER: join(folder.path, 'out'),
        MODEL_DOWNLOADS: 'false',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    exited = once(child, 'exit');
    log = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (log += text));
    const [line] = (await once(child.stdout?.setEncoding('utf8') ?? child, 'data')) as [string];
    url = /http:\S+/.exec(line)?.[0] ?? '';
  });

  afterEach(async () => {
    child.kill('SIGKILL');
    await exited;
    await folder.remove();
  });

  const image = (): Promise<Buffer> =>
    sharp({ create: { width: 64, height: 64, channels: 3, background: 'teal' } })
      .png()
      .toBuffer();
  const submit = async (side: number): Promise<string> => {
    const response = await request(url)
      .post(`/upscale?upscaler=NEAREST&width=${side}&height=${side}&output_format=avif&quality=90`)
      .set({ 'Content-Type': 'image/png', Prefer: 'respond-async' })
      .send(await image());
    expect(response.status).toBe(202);
    return (response.body as { job_id: string }).job_id;
  };

  it('finishes what runs, refuses what is new, keeps what is done, and exits with 0', async () => {
    const waiting = request(url)
      .post('/upscale?upscaler=NEAREST&width=800&height=800&output_format=avif')
      .set({ 'Content-Type': 'image/png', 'Idempotency-Key': 'last' })
      .send(await image())
      .buffer(true);
    const answer = waiting.then((response) => response.status);
    while (((await request(url).get('/jobs')).body as { jobs: unknown[] }).jobs.length === 0);
    child.kill('SIGTERM');
    while ((await request(url).get('/health/ready')).status === 200);
    const refused = await request(url)
      .post('/upscale')
      .set('Content-Type', 'image/png')
      .send(await image());
    expect(refused.status).toBe(503);
    expect(await answer).toBe(200);
    expect(await exited).toEqual([0, null]);
    expect(await folder.jobFiles()).toEqual([expect.stringMatching(/^out\/[0-9a-f]{32}\/1\/0\.avif$/)]);
    expect(
      log
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { message: string }).message)
        .at(-1),
    ).toBe('stopped');
  });

  it('stops at once when it is told twice', async () => {
    await submit(6000);
    child.kill('SIGTERM');
    while ((await request(url).get('/health/ready')).status === 200);
    child.kill('SIGTERM');
    expect(await exited).toEqual([1, null]);
  });

  it('stops at once when nothing runs, whatever connections are open', async () => {
    const response = await fetch(`${url}/health/live`);
    expect(await response.json()).toEqual({ status: 'ok' });
    const asked = performance.now();
    child.kill('SIGINT');
    expect(await exited).toEqual([0, null]);
    expect(performance.now() - asked).toBeLessThan(3000);
  });
});
