import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ProcessLock } from '../../../../app/files/process-lock.ts';
import { loadConfig } from '../../../../app/config.ts';
import type { RunningService } from '../../../../app/main.ts';
import { startService } from '../../../../app/main.ts';
import { noisyPng } from '../../../support/servers/a1111-service.ts';
import type { OpenApiPaths } from '../../../support/servers/described-answers.ts';
import { DescribedAnswers } from '../../../support/servers/described-answers.ts';
import { eventually } from '../../../support/eventually.ts';
import { freePort } from '../../../support/servers/free-port.ts';
import type { TemporaryFolder } from '../../../support/temporary-folder.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const NO_JOB = '0'.repeat(32);
const PICTURE = noisyPng({ width: 24, height: 16 });
const TIMINGS = { heartbeatMs: 2000, staleMs: 10_000, pollMs: 100 };

/** What a service answers that cannot do what it is for: `/openapi.json` has said that it may. */
describe('the answers of a service at a bad time', () => {
  let folder: TemporaryFolder;
  let url: string;
  let service: Promise<RunningService>;
  let lock: ProcessLock;
  let described: DescribedAnswers;

  beforeAll(async () => {
    folder = await temporaryFolder();
    const [models, processed] = [join(folder.path, 'models'), join(folder.path, 'out')];
    await mkdir(models);
    await writeFile(join(models, 'models.lock.json'), 'no list');
    await mkdir(join(processed, '.state'), { recursive: true });
    lock = await ProcessLock.acquire(join(processed, '.state', 'server.lock'), TIMINGS); // another server's
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    service = startService(
      loadConfig({
        PORT: String(port),
        UPLOAD_FOLDER: join(folder.path, 'in'),
        PROCESSED_FOLDER: processed,
        MODELS_DIR: models,
        MODEL_DOWNLOADS: 'false',
        LOG_LEVEL: 'error',
        ALLOW_MODEL_UPLOAD: 'true',
      }),
    );
    const document = await eventually(
      () =>
        fetch(`${url}/openapi.json`).then(
          (response) => response.json() as Promise<OpenApiPaths>,
          () => undefined,
        ),
      (found) => found !== undefined,
    );
    if (document) described = new DescribedAnswers(document);
  });
  afterAll(async () => {
    await lock.release();
    await (await service).close(0);
    await folder.remove();
  });

  const ask = async (method: string, path: string, init: RequestInit = {}): Promise<unknown> => {
    const response = await fetch(url + path, { method, ...init });
    const body = Buffer.from(await response.arrayBuffer());
    const { status } = response;
    const type = response.headers.get('Content-Type') ?? '';
    return [method, path, status, ...described.faultsOf({ method, path, status, type, body })];
  };
  const form = (): FormData => {
    const data = new FormData();
    for (const [name, value] of Object.entries({ method: 'upscale', target_width: '9', target_height: '9' }))
      data.append(name, value);
    data.append('file', new Blob([Buffer.from(PICTURE)]), 'a.png');
    return data;
  };

  it('are described while it starts', async () => {
    for (const path of [
      ...['/jobs', `/jobs/${NO_JOB}`, `/status/${NO_JOB}`, `/jobs/${NO_JOB}/events`, `/processed/${NO_JOB}-0.png`],
      ...[`/jobs/${NO_JOB}/results/0`, `/jobs/${NO_JOB}/results.zip`, `/jobs/${NO_JOB}/sketch/0`],
      ...[`/comfy/result/${NO_JOB}`, '/health/ready', '/sdapi/v1/progress'],
    ])
      expect(await ask('GET', path)).toEqual(['GET', path, 503]);
    expect(await ask('DELETE', `/jobs/${NO_JOB}`)).toEqual(['DELETE', `/jobs/${NO_JOB}`, 503]);
    for (const path of [
      ...['/jobs', '/upscale', '/enhance', '/preview', '/v1/upscale', '/v1/images/upscale'],
      ...['/comfy/upscale', '/comfy/upscale_stream'],
    ])
      expect(await ask('POST', path, { body: form() })).toEqual(['POST', path, 503]);
    const archive = { body: JSON.stringify({ jobs: [{ job_id: NO_JOB }] }) };
    expect(await ask('POST', '/archives', { ...archive, headers: { 'Content-Type': 'application/json' } })).toEqual([
      'POST',
      '/archives',
      503,
    ]);
  });

  it('are described where the list of models is damaged', async () => {
    for (const path of ['/models', '/comfy/models', '/sdapi/v1/upscalers'])
      expect(await ask('GET', path)).toEqual(['GET', path, 500]);
    expect(await ask('POST', '/models', { body: form() })).toEqual(['POST', '/models', 400]);
  });
});
