import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { CheckpointInspector } from '../../../app/catalog/inspection/checkpoint-inspector.ts';
import { DownloadError } from '../../../app/catalog/errors.ts';
import { ModelDownloader } from '../../../app/catalog/download/model-downloader.ts';
import type { RemoteModel } from '../../../app/catalog/remote-model.ts';
import { contentOf, FaultServer } from '../../support/servers/fault-server.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const CHECKPOINT = readFileSync(new URL('../../../models/compact-x2.safetensors', import.meta.url));
/** As a server of HTTP/1.0 sends it, which says no length and ends by closing. */
const AS_A_STREAM = { ignoresRange: true, isChunked: true };
const FILENAME = 'unpublished.safetensors';

describe('a model of which neither size nor hash is published', () => {
  let server: FaultServer;
  let folder: TemporaryFolder;
  const inspector = new CheckpointInspector();

  beforeAll(async () => {
    server = await FaultServer.start();
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    folder = await temporaryFolder();
  });
  afterEach(() => folder.remove());

  const download = (url: string, mirrors: readonly string[] = []) =>
    new ModelDownloader({ directory: folder.path, inspect: (file) => inspector.inspect(file) }).download({
      ...{ name: 'unpublished', filename: FILENAME, url, mirrors },
      ...{ scale: 2, size: null, sha256: null, licence: 'none', purpose: 'tests', source: 'tests' },
    } as RemoteModel);

  it.each([
    ['that was cut in its weights', CHECKPOINT.subarray(0, CHECKPOINT.length - 1000)],
    ['that was cut in its header', CHECKPOINT.subarray(0, 600)],
    [
      'of the right size and head with other bytes after it',
      Buffer.concat([CHECKPOINT.subarray(0, 16), Buffer.alloc(CHECKPOINT.length - 16, 0x41)]),
    ],
  ])('is refused by name %s, and neither installed nor pinned', async (_, content) => {
    const error: unknown = await download(server.serve('/model', contentOf(content), AS_A_STREAM)).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(DownloadError);
    expect(error).toMatchObject({ reason: 'not-a-model' });
    expect(String(error)).toMatch(
      new RegExp(`Could not download unpublished: what arrived is no model: .*${FILENAME}`),
    );
    expect(String(error)).not.toMatch(/\.part/);
    expect((await readdir(folder.path)).filter((name) => !name.includes('.part'))).toEqual([]);
  });

  it('is had from a mirror where the first source cut it', async () => {
    const cut = server.serve('/cut', contentOf(CHECKPOINT.subarray(0, 100_000)), AS_A_STREAM);
    const { file } = await download(cut, [server.serve('/whole', contentOf(CHECKPOINT), AS_A_STREAM)]);
    expect(readFileSync(file).equals(CHECKPOINT)).toBe(true);
    expect((await readdir(folder.path)).sort()).toEqual(['models.lock.json', FILENAME]);
  });
});
