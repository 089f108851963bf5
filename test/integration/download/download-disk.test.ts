import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DownloadError } from '../../../app/catalog/errors.ts';
import { sha256OfFile } from '../../../app/files/file-hash.ts';
import { ModelCatalog } from '../../../app/catalog/model-catalog.ts';
import { ModelDownloader } from '../../../app/catalog/download/model-downloader.ts';
import type { RemoteModel } from '../../../app/catalog/remote-model.ts';
import { FaultServer, madeUpModel, sha256OfContent } from '../../support/servers/fault-server.ts';
import { mountSmallDisk } from '../../support/small-disk.ts';

const MIB = 2 ** 20;
const SIZE = 6 * MIB + 5;
const CONTENT = madeUpModel(SIZE);
const SHA256 = sha256OfContent(CONTENT);

let server: FaultServer;
let model: RemoteModel;

beforeAll(async () => {
  server = await FaultServer.start();
  const rest = { mirrors: [], scale: 4, licence: 'none', purpose: 'tests', source: 'tests' };
  const url = server.serve('/model.pth', CONTENT, { bytesPerSecond: 4 * MIB });
  model = { name: 'test-model', filename: 'Model.pth', url, size: SIZE, sha256: SHA256, ...rest };
});
afterAll(async () => {
  await server.close();
});
beforeEach(() => {
  server.forget();
});

async function failure(directory: string): Promise<DownloadError> {
  const error: unknown = await new ModelDownloader({ directory }).download(model).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(DownloadError);
  return error as DownloadError;
}

const disk = mountSmallDisk(10 * MIB);
const describeDisk = disk ? describe : describe.skip;

describeDisk('a full disk (needs root, for a tmpfs)', () => {
  const directory = disk?.directory ?? '';
  const filler = join(directory, 'filler');
  afterAll(() => {
    disk?.unmount();
  });

  it('is found before a byte is fetched, and what is missing is told', async () => {
    await writeFile(filler, Buffer.alloc(7 * MIB));
    const error = await failure(directory);
    expect(error.reason).toBe('disk-full');
    expect(error.missingBytes).toBeGreaterThan(3 * MIB);
    expect(error.missingBytes).toBeLessThan(5 * MIB);
    expect(error.message).toContain(`${error.missingBytes ?? 0} bytes`);
    expect(server.sent).toBe(16);
    expect(await readdir(directory)).toEqual(['filler']);
    await rm(filler);
  });

  it('in the middle leaves what was fetched, and the next run goes on from there', async () => {
    let isFilled = false;
    server.onSent((total) => {
      if (total < 2 * MIB || isFilled) return;
      isFilled = true;
      void writeFile(filler, Buffer.alloc(20 * MIB)).catch(() => undefined); // as much as there is room for
    });
    const error = await failure(directory);
    expect(error.reason).toBe('disk-full');
    expect(error.missingBytes).toBeGreaterThan(0);
    expect(error.message).toMatch(/is full: \d+ bytes .* more are needed.*are kept/);
    expect((await readdir(directory)).sort()).toEqual(['Model.pth.part', 'Model.pth.part.json', 'filler']);

    await rm(filler);
    server.forget();
    await new ModelDownloader({ directory }).download(model);
    expect(await sha256OfFile(join(directory, 'Model.pth'))).toBe(SHA256);
    expect(server.sent).toBeLessThan(SIZE - MIB);
    expect((await readdir(directory)).sort()).toEqual(['Model.pth', 'models.lock.json']);
  });

  it('does not keep other models from being used', async () => {
    await writeFile(filler, Buffer.alloc(20 * MIB)).catch(() => undefined);
    const downloader = new ModelDownloader({ directory });
    const catalog = new ModelCatalog({ directory, downloader, isDownloading: true, official: [model] });
    expect((await catalog.ensure('test-model')).file).toBe(join(directory, 'Model.pth'));
    await rm(filler);
  });

  it('that is read-only is named, and models on it are used', async () => {
    disk?.remount('ro');
    const downloader = new ModelDownloader({ directory });
    const official = [model, { ...model, name: 'other', filename: 'Other.pth' }];
    const catalog = new ModelCatalog({ directory, downloader, isDownloading: true, official });
    expect((await catalog.ensure('test-model')).isVerified).toBe(true);
    await expect(catalog.ensure('other')).rejects.toMatchObject({
      code: 'ERR_MODEL_UNAVAILABLE',
      cause: { reason: 'not-writable' },
    });
    expect(server.requests).toEqual([]);
  });
});

describe('a folder that cannot be written to', () => {
  it('is named before a byte is fetched, and nothing is left', async () => {
    const parent = await mkdtemp(join(tmpdir(), 'hiresfix-read-only-'));
    const directory = join(parent, 'models');
    await mkdir(directory, { mode: 0o555 });
    // Root may write anywhere, so for root a file is in the place of the folder.
    const isRoot = process.getuid?.() === 0;
    const target = isRoot ? join(parent, 'file') : directory;
    if (isRoot) await writeFile(target, '');
    const error = await failure(isRoot ? join(target, 'models') : target);
    expect(error.reason).toBe('not-writable');
    expect(server.requests).toEqual([]);
    expect(await readdir(directory)).toEqual([]);
    await chmod(directory, 0o755);
    await rm(parent, { recursive: true });
  });
});
