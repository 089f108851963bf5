import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sha256OfFile } from '../../../app/files/file-hash.ts';
import type { RemoteModel } from '../../../app/catalog/remote-model.ts';
import { ModelDownloader } from '../../../app/catalog/download/model-downloader.ts';
import { bundleDownloadChild, DownloadProcess } from '../../support/servers/download-process.ts';
import type { Content } from '../../support/servers/fault-server.ts';
import { FaultServer, madeUpModel, sha256OfContent } from '../../support/servers/fault-server.ts';

const MB = 1_000_000;

let server: FaultServer;
let directory: string;

beforeAll(async () => {
  server = await FaultServer.start();
  directory = await mkdtemp(join(tmpdir(), 'hiresfix-speed-'));
});
afterAll(async () => {
  await server.close();
  await rm(directory, { recursive: true, force: true });
});

function model(filename: string, url: string, content: Content): RemoteModel {
  const rest = { mirrors: [], scale: 4, licence: 'none', purpose: 'tests', source: 'tests' };
  return { name: 'test-model', filename, url, size: content.size, sha256: sha256OfContent(content), ...rest };
}

describe('a server that limits every connection to 2 MB/s', () => {
  it('is at least three times as fast over eight connections as over one', async () => {
    const content = madeUpModel(15 * MB);
    const url = server.serve('/limited.pth', content, { bytesPerSecond: 2 * MB });
    const time = async (segments: number) => {
      server.forget();
      await rm(join(directory, `Limited-${segments}.pth`), { force: true });
      const startedAt = performance.now();
      await new ModelDownloader({ directory, segments }).download(model(`Limited-${segments}.pth`, url, content));
      return performance.now() - startedAt;
    };
    const eight = Math.min(await time(8), await time(8)); // the machine may be busy; one connection is bound by its limit
    expect(server.peak).toBe(8);
    const one = await time(1);
    expect(server.peak).toBe(1);
    console.log(
      `15 MB: ${one.toFixed(0)} ms over one connection, ${eight.toFixed(0)} ms over eight: ${(one / eight).toFixed(1)} times as fast`,
    );
    expect(one / eight).toBeGreaterThan(3);
  }, 60_000);
});

describe('memory', () => {
  it('does not grow with the file', async () => {
    const program = await bundleDownloadChild(directory);
    const peak = async (bytes: number) => {
      const content = madeUpModel(bytes);
      const wanted = model(`Large-${bytes}.pth`, server.serve('/large.pth', content), content);
      const result = await new DownloadProcess(program, { options: { directory }, model: wanted }).result();
      expect(result).toMatchObject({ isFetched: true });
      expect(await sha256OfFile(join(directory, wanted.filename))).toBe(wanted.sha256);
      return Number(result?.['peakRss']);
    };
    const small = await peak(15 * MB);
    const large = await peak(75 * MB);
    console.log(`peak memory: ${(small / MB).toFixed(0)} MB for 15 MB, ${(large / MB).toFixed(0)} MB for 75 MB`);
    expect(large - small).toBeLessThan(40 * MB);
  }, 60_000);
});
