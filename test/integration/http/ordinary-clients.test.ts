import { execFile, spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { noise } from '../../support/images/images.ts';
import { writePng } from '../../support/images/png.ts';
import type { ServeProcess } from '../../support/servers/serve-process.ts';
import { serveProcess } from '../../support/servers/serve-process.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const run = promisify(execFile);
const KEY = 'a-key-of-the-test';
const CLIENTS = fileURLToPath(new URL('../../fixtures/clients/', import.meta.url));
const works = (program: string, ...args: string[]): boolean => spawnSync(program, args).status === 0;
const PYTHON = [process.env['HIRESFIX_PYTHON'], 'python3'].find(
  (program) => program !== undefined && works(program, '-c', 'import requests'),
);

/** Programs as they come, with bodies longer than what fits into one read of a socket. */
describe('ordinary clients', () => {
  let folder: TemporaryFolder;
  let server: ServeProcess;
  let [url, image, result] = ['', '', ''];

  beforeAll(async () => {
    folder = await temporaryFolder();
    server = await serveProcess(folder.path, { API_KEY: KEY });
    url = `${server.url}/upscale?upscaler=NEAREST&scale=2`;
    [image, result] = [join(folder.path, 'image.png'), join(folder.path, 'result.png')];
    await writeFile(image, writePng(noise({ width: 300, height: 200, channels: 3, depth: 8 })));
  });
  afterAll(async () => {
    await server.kill();
    await folder.remove();
  });

  const expectPicture = async (status: string): Promise<void> => {
    expect(status).toBe('200');
    const { width, height } = await sharp(await readFile(result)).metadata();
    expect([width, height]).toEqual([600, 400]);
  };

  (works('curl', '--version') ? it.each : it.skip.each)([['--http1.1'], ['--http2']])(
    'curl %s gets its picture for a form, five times over',
    async (version) => {
      for (let time = 0; time < 5; time++) {
        const form = [version, '-sS', '-H', `X-API-KEY: ${KEY}`, '-F', `file=@${image}`, '-o', result];
        const { stdout } = await run('curl', [...form, '-w', '%{http_code}', url]);
        await expectPicture(stdout);
      }
    },
  );

  (works('curl', '--version') ? it : it.skip)('curl --http2 gets two answers over one connection', async () => {
    const live = `${server.url}/health/live`;
    const { stdout } = await run('curl', ['--http2', '-sS', '-w', '%{http_code} %{num_connects}\n', live, live]);
    expect(stdout).toBe('{"status":"ok"}200 1\n{"status":"ok"}200 0\n');
  });

  (works('java', '-version') ? it : it.skip)("Java's client gets its picture", async () => {
    const { stdout } = await run('java', [join(CLIENTS, 'Upscale.java'), url, KEY, image, result]);
    await expectPicture(stdout);
  });

  it("Node's fetch (undici) gets its picture", async () => {
    const body = new FormData();
    body.set('file', new Blob([await readFile(image)]), 'image.png');
    const response = await fetch(url, { method: 'POST', headers: { 'X-API-KEY': KEY }, body });
    await writeFile(result, Buffer.from(await response.arrayBuffer()));
    await expectPicture(String(response.status));
    // nginx keeps its connections to a service for 60 s: none may end under its request.
    expect(response.headers.get('Keep-Alive')).toBe('timeout=65');
  });

  (works('python3', '--version') ? it : it.skip)("Python's http.client gets its picture", async () => {
    const { stdout } = await run('python3', [join(CLIENTS, 'http_client.py'), url, KEY, image, result]);
    await expectPicture(stdout);
  });

  (PYTHON === undefined ? it.skip : it)("Python's requests gets its picture", async () => {
    const { stdout } = await run(PYTHON ?? '', [join(CLIENTS, 'requests_form.py'), url, KEY, image, result]);
    await expectPicture(stdout);
  });
});
