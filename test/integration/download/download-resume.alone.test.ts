import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sha256OfFile } from '../../../app/files/file-hash.ts';
import type { RemoteModel } from '../../../app/catalog/remote-model.ts';
import { bundleDownloadChild, DownloadProcess } from '../../support/servers/download-process.ts';
import { FaultServer, madeUpModel, sha256OfContent } from '../../support/servers/fault-server.ts';

const KILLS = 15;
const SIZE = 64_000_001;
const CONTENT = madeUpModel(SIZE);
/** For kills in the last moments: whatever the network, they are over fast. */
const QUICK = madeUpModel(15_000_001, 2);
/** Eight connections at this rate: the whole file takes longer than all the killed processes have. */
const BYTES_PER_SECOND = 300_000;

let server: FaultServer;
let directory: string;
let program: string;

beforeAll(async () => {
  server = await FaultServer.start();
  directory = await mkdtemp(join(tmpdir(), 'hiresfix-resume-'));
  program = await bundleDownloadChild(directory);
});
afterAll(async () => {
  await server.close();
  await rm(directory, { recursive: true, force: true });
});

function model(filename: string, url: string, content = CONTENT): RemoteModel {
  const rest = { mirrors: [], scale: 4, licence: 'none', purpose: 'tests', source: 'tests' };
  return { name: 'test-model', filename, url, size: content.size, sha256: sha256OfContent(content), ...rest };
}

describe('a download whose process is killed', () => {
  it(`goes on where it was, ${KILLS} times, and fetches less than a fifth again`, async () => {
    const models = join(directory, 'models');
    const slow = server.serve('/model.pth', CONTENT, { bytesPerSecond: BYTES_PER_SECOND });
    const seed = Date.now() % 2 ** 31;
    const random = randomNumbers(seed);
    const request = { options: { directory: models }, model: model('Model.pth', slow) };
    for (let kill = 0; kill < KILLS; kill += 1) {
      const process = new DownloadProcess(program, request);
      await process.started();
      await sleep(30 + random() * 900);
      await process.kill();
      expect(await process.result()).toBeUndefined();
      expect((await readdir(models)).filter((name) => name === 'Model.pth')).toEqual([]);
    }
    const beforeKills = server.sent;
    server.serve('/model.pth', CONTENT);
    const last = new DownloadProcess(program, request);
    expect(await last.result()).toMatchObject({ isFetched: true });
    expect(await sha256OfFile(join(models, 'Model.pth'))).toBe(request.model.sha256);
    expect((await readdir(models)).sort()).toEqual(['Model.pth', 'models.lock.json']);
    const again = server.sent - SIZE;
    const share = again / beforeKills;
    console.log(
      `seed ${seed}: ${(beforeKills / 1e6).toFixed(1)} MB before ${KILLS} kills, ${(share * 100).toFixed(1)} % of it fetched again`,
    );
    expect(share).toBeLessThan(0.2);
  }, 90_000);

  it('is never seen half done, also when it is killed while it checks and publishes', async () => {
    const models = join(directory, 'quick');
    const request = {
      options: { directory: models },
      model: model('Quick.pth', server.serve('/quick.pth', QUICK), QUICK),
    };
    const { sha256 } = request.model;
    const undisturbed = await timeOf(new DownloadProcess(program, request));
    const random = randomNumbers(7);
    for (let kill = 0; kill < 12; kill += 1) {
      await rm(join(models, 'Quick.pth'), { force: true });
      const process = new DownloadProcess(program, request);
      await sleep(undisturbed * (0.4 + 0.6 * random()));
      await process.kill();
      const isThere = (await readdir(models)).includes('Quick.pth');
      if (isThere) expect(await sha256OfFile(join(models, 'Quick.pth'))).toBe(sha256);
    }
    const last = new DownloadProcess(program, request);
    await last.result();
    expect(await sha256OfFile(join(models, 'Quick.pth'))).toBe(sha256);
    expect((await readdir(models)).sort()).toEqual(['Quick.pth', 'models.lock.json']);
  }, 60_000);
});

async function timeOf(process: DownloadProcess): Promise<number> {
  const startedAt = performance.now();
  await process.result();
  return performance.now() - startedAt;
}

/** A small generator (mulberry32), so that a failing run can be repeated from its seed. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
