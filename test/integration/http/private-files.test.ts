import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { noise } from '../../support/images/images.ts';
import { writePng } from '../../support/images/png.ts';
import type { ServeProcess } from '../../support/servers/serve-process.ts';
import { serveProcess } from '../../support/servers/serve-process.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const MODES = { file: 0o600, folder: 0o700 };

describe('what the service writes', () => {
  let folder: TemporaryFolder;
  let server: ServeProcess;

  beforeAll(async () => {
    folder = await temporaryFolder();
    server = await serveProcess(folder.path, { RESULT_CACHE_MB: '64' });
  });
  afterAll(async () => {
    await server.kill();
    await folder.remove();
  });

  it('is for its own user only: uploads, results, the journal and the cache', async () => {
    const image = writePng(noise({ width: 64, height: 48, channels: 3, depth: 8 }));
    const post = (query: string) => request(server.url).post(`/upscale?${query}`).type('image/png').send(image);
    expect((await post('upscaler=LANCZOS&scale=2')).status).toBe(200);
    // One that waits behind one that runs leaves its upload lying.
    const later = () =>
      post('upscaler=NEAREST&width=9000&height=9000&output_format=avif').set('Prefer', 'respond-async');
    await later();
    await later();
    const paths = ['in', 'out', ...(await readdir(folder.path, { recursive: true }))].map((path) =>
      join(folder.path, path),
    );
    const modes = await Promise.all(
      paths.map(async (path) => {
        const { mode, isFile } = await stat(path).then((stats) => ({
          mode: stats.mode & 0o777,
          isFile: stats.isFile(),
        }));
        return { path, mode, expected: isFile ? MODES.file : MODES.folder };
      }),
    );
    expect(modes.filter(({ mode, expected }) => mode !== expected)).toEqual([]);
    expect(modes.length).toBeGreaterThan(8);
  });
});
