import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { eventually } from '../../support/eventually.ts';
import { noise } from '../../support/images/images.ts';
import { writePng } from '../../support/images/png.ts';
import type { ServeProcess } from '../../support/servers/serve-process.ts';
import { serveProcess } from '../../support/servers/serve-process.ts';
import { mountSmallDisk } from '../../support/small-disk.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** About 2.9 MB, which noise does not lose to compression. */
const LARGE = writePng(noise({ width: 1000, height: 970, channels: 3, depth: 8 }));
const SMALL = writePng(noise({ width: 8, height: 8, channels: 3, depth: 8 }));
const disk = mountSmallDisk(4 * 2 ** 20);

(disk ? describe : describe.skip)('a service whose disk is full', () => {
  if (!disk) return;
  let folder: TemporaryFolder;
  let server: ServeProcess;
  const { directory } = disk;
  const filler = join(directory, 'filler');

  beforeAll(async () => {
    folder = await temporaryFolder();
    server = await serveProcess(folder.path, {
      LOG_LEVEL: 'info',
      MAX_FILE_SIZE_MB: '3',
      UPLOAD_FOLDER: join(directory, 'in'),
    });
  });
  afterAll(async () => {
    await server.kill();
    disk.unmount();
    await folder.remove();
  });

  const upload = (image: Buffer, path = '/upscale?upscaler=NEAREST&scale=1') =>
    request(server.url).post(path).type('image/png').send(image);
  /** The log is read beside the answers, so that a line may come after its answer. */
  const logged = (message: string, count: number) =>
    eventually(
      () => Promise.resolve(server.logLines().filter((line) => line.message === message)),
      (lines) => lines.length >= count,
    );
  const ready = async (): Promise<number> => (await request(server.url).get('/health/ready')).status;

  it('answers 503 and when to come back to what it has no room for, and is not ready until there is', async () => {
    expect(await ready()).toBe(200);
    writeFileSync(filler, Buffer.alloc(2 * 2 ** 20)); // 2 MB are left
    expect(await ready()).toBe(200);
    const form = request(server.url).post('/jobs').field({ method: 'upscale', upscaler: 'NEAREST' });
    const json = { images: [LARGE.toString('base64')], config: { upscaler: 'NEAREST', upscale_factor: 1 } };
    for (const send of [
      () => upload(LARGE),
      () => form.attach('files', LARGE, 'large.png'),
      () => request(server.url).post('/hires-fix').send(json),
    ]) {
      const response = await send();
      expect([response.status, (response.body as { code: string }).code]).toEqual([503, 'ERR_STORE_UNAVAILABLE']);
      expect(response.headers['retry-after']).toBe('5');
      expect(await ready()).toBe(503); // there is no room for as large a picture
      rmSync(filler);
      expect(await ready()).toBe(200);
      expect((await upload(SMALL)).status).toBe(200);
      writeFileSync(filler, Buffer.alloc(2 * 2 ** 20));
    }
    const failures = await logged('request failed', 3);
    expect(failures).toHaveLength(3);
    for (const { level, code, error } of failures) {
      expect([level, code]).toEqual(['error', 'ERR_STORE_UNAVAILABLE']);
      expect(error).toMatchObject({ cause: { code: 'ENOSPC' } });
    }
  });

  it('takes no body at all while there is next to none', async () => {
    writeFileSync(filler, Buffer.alloc(3.5 * 2 ** 20));
    expect(await ready()).toBe(503);
    expect((await upload(SMALL)).status).toBe(503);
    const refused = await logged('request refused', 1);
    const reason = expect.stringContaining('the disk is full') as unknown;
    expect(refused).toEqual([expect.objectContaining({ level: 'warn', code: 'ERR_STORE_UNAVAILABLE', reason })]);
    expect(JSON.stringify(refused)).not.toMatch(/stack|\.js:/);
    rmSync(filler);
    expect((await upload(SMALL)).status).toBe(200);
  });

  it('says nothing of probes, whatever they are answered', async () => {
    await request(server.url).get('/health/live').expect(200);
    await request(server.url).get('/metrics').expect(200);
    const lines = server.logLines().map((line) => JSON.stringify(line));
    expect(lines.filter((line) => line.includes('"path":"/upscale"')).length).toBeGreaterThan(3);
    expect(lines.filter((line) => /"path":"\/(health|metrics)/.test(line))).toEqual([]);
  });
});
