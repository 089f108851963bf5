import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Interface } from 'node:readline';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { loadConfig } from '../../app/config.ts';
import type { RunningService } from '../../app/main.ts';
import { startService } from '../../app/main.ts';
import { forward } from '../support/servers/events-proxy.ts';
import { freePort } from '../support/servers/free-port.ts';
import type { TemporaryFolder } from '../support/temporary-folder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const HARNESS = fileURLToPath(new URL('../fixtures/comfyui/harness.py', import.meta.url));
const PACK = fileURLToPath(new URL('../../integrations/comfyui/', import.meta.url));
const PYTHON = [process.env['HIRESFIX_PYTHON'], 'python3'].find(
  (program) => program !== undefined && spawnSync(program, ['-c', 'import numpy, torch']).status === 0,
);

(PYTHON === undefined ? describe.skip : describe)(
  'the nodes for ComfyUI (needs a Python with torch, HIRESFIX_PYTHON)',
  () => {
    let folder: TemporaryFolder;
    let service: RunningService;
    let [port, url] = [0, ''];
    let harness: ChildProcessWithoutNullStreams;
    let lines: Interface;

    beforeAll(async () => {
      folder = await temporaryFolder();
      port = await freePort();
      url = `http://127.0.0.1:${port}`;
      harness = spawn(PYTHON ?? '', [HARNESS, PACK], { env: { PATH: process.env['PATH'], HIRESFIX_URL: url } });
      harness.stderr.pipe(process.stderr);
      lines = createInterface(harness.stdout);
    });
    afterAll(async () => {
      harness.stdin.end();
      await (service as RunningService | undefined)?.close();
      await folder.remove();
    });

    const start = async (): Promise<void> => {
      service = await startService(
        loadConfig({
          PORT: String(port),
          UPLOAD_FOLDER: join(folder.path, 'in'),
          PROCESSED_FOLDER: join(folder.path, 'out'),
          MODELS_DIR: join(folder.path, 'models'),
          MODEL_DOWNLOADS: 'false',
          FORCE_CPU: 'true',
          MAX_FILE_SIZE_MB: '1',
          LOG_LEVEL: 'error',
        }),
      );
    };
    const answer = async (): Promise<unknown> => {
      const ended = once(harness, 'exit').then(() => Promise.reject(new Error('the harness ended without an answer')));
      const [line] = (await Promise.race([once(lines, 'line'), ended])) as [string];
      return JSON.parse(line);
    };
    const ask = (command: string, server = url): Promise<unknown> => {
      harness.stdin.write(`${command} ${server}\n`);
      return answer();
    };
    const BATCH = {
      shape: [2, 12, 16, 3],
      error: expect.closeTo(0, 0) as unknown, // less than half a level of 16 bits
      mask_error: expect.closeTo(0, 0) as unknown,
      plain: [1, 12, 16, 3],
      opaque: 0,
      progress: 1000,
    };

    it('load while no service answers, and say so in their list', async () => {
      expect(await answer()).toEqual({
        nodes: ['HiresFixRestore', 'HiresFixUpscale'],
        upscalers: [expect.stringContaining('(hiresfix: no service answers at ')],
      });
    });

    it.each(['localhost', 'http://[::1'])('load where HIRESFIX_URL is %j', async (wrong) => {
      expect(await loadedWith(wrong)).toEqual([expect.stringContaining('(hiresfix: no service answers at ')]);
    });

    it('load where HIRESFIX_URL is empty, which is as if it were not set', async () => {
      expect(await loadedWith('')).not.toHaveLength(0); // a service may answer at the default address
    });

    it('load where the service refuses them, and say why', async () => {
      const detail = 'Expected an API key';
      const closed = createServer((_, response) => response.writeHead(401).end(JSON.stringify({ detail })));
      await once(closed.listen(0, '127.0.0.1'), 'listening');
      const upscalers = await loadedWith(`http://127.0.0.1:${(closed.address() as AddressInfo).port}`);
      closed.close();
      expect(upscalers).toEqual([`(hiresfix: ${detail})`]);
    });

    it.each(['<html></html>', '[]', '{"models":null}'])('load where something else answers: %s', async (body) => {
      const other = createServer((_, response) => response.end(body)).listen(0, '127.0.0.1');
      await once(other, 'listening');
      const upscalers = await loadedWith(`http://127.0.0.1:${(other.address() as AddressInfo).port}`);
      other.close();
      expect(upscalers).toEqual([expect.stringMatching(/^\(hiresfix: expected a hiresfix service at http/)]);
    });

    it('list what the service has as soon as it is there', async () => {
      await start();
      expect(await ask('list')).toEqual(expect.arrayContaining(['AUTO', 'COMPACT_X2', 'LANCZOS']));
    });

    it('enlarge a batch with its masks, in 16 bits', async () => {
      expect(await ask('batch')).toEqual(BATCH);
    });

    it('cancel the job in the middle where ComfyUI is interrupted', async () => {
      expect(await ask('cancel')).toEqual({ ended: 'interrupted' });
      const { jobs } = (await request(url).get('/jobs?limit=1')).body as { jobs: { status: string }[] };
      expect(jobs[0]?.status).toBe('cancelled');
    });

    it('tell in the words of the service why something cannot be done', async () => {
      expect(await ask('fail')).toEqual({ error: expect.stringContaining("there is no 'no-such-upscaler'") });
    });

    it('tell that a picture is too large, which the service says before it has all of it', async () => {
      expect(await ask('oversized')).toEqual({ error: expect.stringContaining('larger than 1 MB') });
    });

    it('go on with a service that was restarted', async () => {
      await service.close();
      await start();
      expect(await ask('batch')).toEqual(BATCH);
    });

    it('wait for a service that a proxy does not reach for a moment, or whose answer breaks off', async () => {
      let asked = 0;
      const proxy = createServer((incoming, response) => {
        const isState = incoming.method === 'GET' && /^\/jobs\/\w+$/.test(incoming.url ?? '');
        if (isState) asked++;
        if (isState && asked === 1) response.writeHead(502).end('Bad Gateway');
        else if (isState && asked === 2)
          response.writeHead(200, { 'Content-Length': 99 }).end('{', () => response.destroy());
        else
          forward(url, incoming, (answer) => {
            response.writeHead(answer.statusCode ?? 502, answer.headers);
            answer.pipe(response);
          });
      });
      proxy.listen(0, '127.0.0.1');
      await once(proxy, 'listening');
      expect(await ask('batch', `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`)).toEqual(BATCH);
      expect(asked).toBeGreaterThan(2);
      proxy.close();
      proxy.closeAllConnections();
    });
  },
);

/** The upscalers that the nodes list where the pack is loaded with such an address. */
async function loadedWith(address: string): Promise<unknown> {
  const program = spawn(PYTHON ?? '', [HARNESS, PACK], { env: { PATH: process.env['PATH'], HIRESFIX_URL: address } });
  program.stderr.pipe(process.stderr);
  program.stdin.end();
  return (JSON.parse(await text(program.stdout)) as { upscalers: unknown }).upscalers;
}
