import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { loadConfig } from '../../../app/config.ts';
import { startService } from '../../../app/main.ts';
import { noise } from '../images/images.ts';
import type { PngChunk } from '../images/png.ts';
import { writePng } from '../images/png.ts';
import { writeHashedModel } from '../checkpoints/hashed-checkpoint.ts';
import { temporaryFolder } from '../temporary-folder.ts';

/** The whole service as a client of the A1111 WebUI meets it, with a small 4x network where "R-ESRGAN 4x+" would be. */
export interface A1111Service {
  readonly url: string;
  readonly port: number;
  get(path: string, headers?: Record<string, string>): Promise<JsonAnswer>;
  /** Sends JSON. */
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<JsonAnswer>;
  close(): Promise<void>;
}

/** An answer that is JSON, as every one has to be. */
export interface JsonAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** On a free port, without downloads. `environment` as the service reads it. */
export async function a1111Service(environment: Readonly<Record<string, string>> = {}): Promise<A1111Service> {
  const folder = await temporaryFolder();
  const models = join(folder.path, 'models');
  await mkdir(models);
  writeHashedModel(join(models, 'RealESRGAN_x4plus.pth'), 'compact_x4_super_ultra');
  const service = await startService(
    loadConfig({
      PORT: '0',
      UPLOAD_FOLDER: join(folder.path, 'in'),
      PROCESSED_FOLDER: join(folder.path, 'out'),
      MODELS_DIR: models,
      MODEL_DOWNLOADS: 'false',
      LOG_LEVEL: 'error',
      ...environment,
    }),
  );
  const ask = async (path: string, init: RequestInit): Promise<JsonAnswer> => {
    const response = await fetch(service.url + path, init);
    return { status: response.status, headers: response.headers, body: await response.json() };
  };
  return {
    url: service.url,
    port: Number(new URL(service.url).port),
    get: (path, headers = {}) => ask(path, { headers }),
    post: (path, body, headers = {}) =>
      ask(path, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...headers },
        body: JSON.stringify(body),
      }),
    close: async () => {
      await service.close(0);
      await folder.remove();
    },
  };
}

/** A noisy RGB picture as a PNG, 101 by 67 unless it is said otherwise, with further chunks before its pixels. */
export function noisyPng({ width = 101, height = 67, chunks = [] as readonly PngChunk[] } = {}): Buffer {
  return writePng(noise({ width, height, channels: 3, depth: 8 }), chunks);
}
