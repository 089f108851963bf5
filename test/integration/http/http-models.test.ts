import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../../app/config.ts';
import type { RunningService } from '../../../app/main.ts';
import { startService } from '../../../app/main.ts';
import { writeCheckpoint } from '../../support/networks/checkpoint-writer.ts';
import { buildManifestTensors, readManifest } from '../../support/networks/hashed-weights.ts';
import type { HttpService } from '../../support/servers/http-service.ts';
import { echo, openHttpService } from '../../support/servers/http-service.ts';

describe('models over HTTP', () => {
  let folder: string;
  let service: RunningService;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hiresfix-models-'));
    await mkdir(join(folder, 'models', 'mine'), { recursive: true });
    const tensors = buildManifestTensors(readManifest('compact_x4_super_ultra'));
    writeCheckpoint(join(folder, 'models', 'mine', '4x-Ultra.pth'), tensors, { format: 'pth-zip', root: 'params' });
    service = await startService(
      loadConfig({
        PORT: '0',
        LOG_LEVEL: 'error',
        MODELS_DIR: join(folder, 'models'),
        UPLOAD_FOLDER: join(folder, 'uploads'),
        PROCESSED_FOLDER: join(folder, 'processed'),
      }),
    );
  });

  afterAll(async () => {
    await service.close(0);
    await rm(folder, { recursive: true, force: true });
  });

  it('lists official models, the bundled one, and the user’s own with what network they hold', async () => {
    const response = await fetch(`${service.url}/models`);
    const { models } = (await response.json()) as { models: Record<string, unknown>[] };
    const named = (name: string) => models.find((model) => model['name'] === name);
    expect(named('realesrgan-x4plus')).toMatchObject({ installed: false, scale: 4, size: 67_040_989, verified: null });
    expect(named('compact-x2')).toMatchObject({ installed: true, scale: 2 });
    expect(named('4x-Ultra')).toMatchObject({ installed: true, architecture: 'Compact', scale: 4, verified: false });
    expect(JSON.stringify(models)).not.toContain(folder);
  });

  it('cannot be downloaded where nobody knows them; the answer says what is known', async () => {
    const response = await fetch(`${service.url}/models/4x-unltra/download`, { method: 'POST' });
    expect(response.status).toBe(404);
    const { code, detail } = (await response.json()) as { code: string; detail: string };
    expect(code).toBe('ERR_UNKNOWN_MODEL');
    for (const name of ["'4x-unltra'", "Did you mean '4x-Ultra'?", 'Known: realesrgan-x2plus', 'gfpgan-1.4'])
      expect(detail).toContain(name);
  });
});

describe('models where downloads are off', () => {
  let service: HttpService;
  beforeAll(async () => {
    service = await openHttpService(echo, { modelDownloads: false, modelsDir: '/nowhere/models' });
  });
  afterAll(() => service.close());
  const download = (name: string) => fetch(`${service.url}/models/${name}/download`, { method: 'POST' });

  it('are not fetched; the answer says which file to get, where from and where to', async () => {
    const response = await download('gfpgan-1.4');
    expect(response.status).toBe(503);
    const { code, detail } = (await response.json()) as { code: string; detail: string };
    expect(code).toBe('ERR_MODEL_UNAVAILABLE');
    for (const part of ['GFPGANv1.4.pth', 'https://github.com/TencentARC/', 'into MODELS_DIR', 'MODEL_DOWNLOADS'])
      expect(detail).toContain(part);
  });

  it('are no reason to refuse what is there', async () => {
    expect((await download('compact-x2')).status).toBe(202);
  });
});
