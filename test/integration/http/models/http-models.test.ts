import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../../../app/config.ts';
import type { RunningService } from '../../../../app/main.ts';
import { startService } from '../../../../app/main.ts';
import { ProtobufWriter } from '../../../../app/onnx/protobuf.ts';
import { noise } from '../../../support/images/images.ts';
import { readPng, writePng } from '../../../support/images/png.ts';
import { writeCheckpoint } from '../../../support/checkpoints/checkpoint-writer.ts';
import { buildManifestTensors, readManifest } from '../../../support/checkpoints/hashed-weights.ts';
import { writeOnnxUpscaler } from '../../../support/networks/onnx-upscaler.ts';
import type { HttpService } from '../../../support/servers/http-service.ts';
import { echo, openHttpService } from '../../../support/servers/http-service.ts';

describe('models over HTTP', () => {
  let folder: string;
  let service: RunningService;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hiresfix-models-'));
    await mkdir(join(folder, 'models', 'mine'), { recursive: true });
    const tensors = buildManifestTensors(readManifest('compact_x4_super_ultra'));
    writeCheckpoint(join(folder, 'models', 'mine', '4x-Ultra.pth'), tensors, { format: 'pth-zip', root: 'params' });
    writeOnnxUpscaler(join(folder, 'models', 'mine'), 'exported', { network: 'compact-x2-gray' });
    await rm(join(folder, 'models', 'mine', 'exported.safetensors'));
    const outside = new ProtobufWriter().message(7, (graph) =>
      graph.message(5, (tensor) =>
        tensor
          .varint(1, 2)
          .varint(2, 1)
          .string(8, 'w')
          .message(13, (entry) => entry.string(1, 'location').string(2, 'halved.bin'))
          .varint(14, 1),
      ),
    );
    await writeFile(join(folder, 'models', 'halved.onnx'), outside.finish());
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

  it('lists an ONNX upscaler beside them, and says of one in two files which is missing', async () => {
    const response = await fetch(`${service.url}/models`);
    const { models } = (await response.json()) as { models: Record<string, unknown>[] };
    const named = (name: string) => models.find((model) => model['name'] === name);
    const found = { architecture: 'ONNX', scale: 2, input_channels: 1, output_channels: 1, problem: null };
    expect(named('exported')).toMatchObject({ installed: true, ...found });
    expect(named('halved')).toMatchObject({ installed: false, architecture: null });
    expect(named('halved')?.['problem']).toMatch(/^halved\.onnx: the tensor w lies in 'halved\.bin': it is not there/);
  });

  it('makes a picture with an ONNX upscaler, and none with one whose second file is missing', async () => {
    const body = writePng(noise({ width: 14, height: 11, channels: 1, depth: 8 }));
    const asked = (name: string) =>
      fetch(`${service.url}/upscale?upscaler=${name}`, {
        method: 'POST',
        headers: { 'content-type': 'image/png' },
        body,
      });
    const made = await asked('exported');
    expect(made.status).toBe(200);
    expect(readPng(Buffer.from(await made.arrayBuffer()))).toMatchObject({ width: 28, height: 22, channels: 1 });
    const refused = await asked('halved.onnx');
    expect([refused.status, await refused.json()]).toMatchObject([503, { code: 'ERR_BAD_CHECKPOINT' }]);
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
