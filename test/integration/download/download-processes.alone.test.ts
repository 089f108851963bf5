import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { sha256OfFile } from '../../../app/files/file-hash.ts';
import { ModelDownloader } from '../../../app/catalog/download/model-downloader.ts';
import { ProcessLock } from '../../../app/files/process-lock.ts';
import type { RemoteModel } from '../../../app/catalog/remote-model.ts';
import { bundleDownloadChild, DownloadProcess } from '../../support/servers/download-process.ts';
import { FaultServer, madeUpModel, sha256OfContent } from '../../support/servers/fault-server.ts';

const SIZE = 8_000_001;
const CONTENT = madeUpModel(SIZE);
const SHA256 = sha256OfContent(CONTENT);

let server: FaultServer;
let root: string;
let directory: string;
let program: string;
let model: RemoteModel;

beforeAll(async () => {
  server = await FaultServer.start();
  root = await mkdtemp(join(tmpdir(), 'hiresfix-processes-'));
  program = await bundleDownloadChild(root);
  const rest = { mirrors: [], scale: 4, licence: 'none', purpose: 'tests', source: 'tests' };
  const url = server.serve('/model.pth', CONTENT, { bytesPerSecond: 1_000_000 });
  model = { name: 'test-model', filename: 'Model.pth', url, size: SIZE, sha256: SHA256, ...rest };
});
afterAll(async () => {
  await server.close();
  await rm(root, { recursive: true, force: true });
});
beforeEach(async () => {
  server.forget();
  directory = join(root, 'models');
  await mkdir(directory);
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

describe('processes that want the same model', () => {
  it('fetch it once: the others wait, and then have it too', async () => {
    const processes = Array.from({ length: 4 }, () => new DownloadProcess(program, { options: { directory }, model }));
    const results = await Promise.all(processes.map((process) => process.result()));
    expect(results.filter((result) => result?.['isFetched'] === true)).toHaveLength(1);
    expect(results.filter((result) => result?.['isFetched'] === false)).toHaveLength(3);
    expect(server.sent).toBe(SIZE + 16);
    expect(await sha256OfFile(join(directory, 'Model.pth'))).toBe(SHA256);
    expect((await readdir(directory)).sort()).toEqual(['Model.pth', 'models.lock.json']);
  });

  it('take over from one that is killed, and go on where it was', async () => {
    const slow = { ...model, url: server.serve('/slow.pth', CONTENT, { bytesPerSecond: 200_000 }) };
    const first = new DownloadProcess(program, { options: { directory }, model: slow });
    await first.started();
    const second = new DownloadProcess(program, { options: { directory }, model: slow });
    await second.started(); // it tells of the first one's progress while it waits
    await first.kill();
    const killedAt = performance.now();
    server.serve('/slow.pth', CONTENT);
    expect(await second.result()).toMatchObject({ isFetched: true });
    expect(performance.now() - killedAt).toBeLessThan(15_000);
    expect(server.sent).toBeLessThan(SIZE * 1.2);
    expect(await sha256OfFile(join(directory, 'Model.pth'))).toBe(SHA256);
  });

  it('may be one process that asks twice', async () => {
    const downloader = new ModelDownloader({ directory });
    const results = await Promise.all([downloader.download(model), downloader.download(model)]);
    expect(results.map(({ isFetched }) => isFetched).sort()).toEqual([false, true]);
    expect(server.sent).toBe(SIZE + 16);
  });

  it('do not mix up the entries of models that they fetch at the same time', async () => {
    const models = Array.from({ length: 5 }, (_, index) => ({
      ...model,
      name: `m${index}`,
      filename: `M${index}.pth`,
    }));
    const quick = server.serve('/quick.pth', CONTENT);
    const running = models.map(
      (one) => new DownloadProcess(program, { options: { directory }, model: { ...one, url: quick } }),
    );
    await Promise.all(running.map((process) => process.result()));
    const again = await Promise.all(models.map((one) => new ModelDownloader({ directory }).download(one)));
    expect(again.every(({ isFetched, record }) => !isFetched && record?.sha256 === SHA256)).toBe(true);
  });
});

describe('a lock', () => {
  const timings = { heartbeatMs: 20, staleMs: 200, pollMs: 10 };
  const path = () => join(directory, 'x.lock');
  const foreign = { token: 'theirs', pid: 1, startedAt: '1', scope: 'another machine' };

  it('of another machine is respected as long as its holder shows itself', async () => {
    const there = await ProcessLock.acquire(path(), timings);
    await writeFile(path(), JSON.stringify(foreign));
    const waits: number[] = [];
    const signal = AbortSignal.timeout(600);
    const shows = setInterval(() => void writeFile(path(), JSON.stringify(foreign)), 50);
    const waiting = ProcessLock.acquire(path(), timings, { signal, onWait: () => Promise.resolve(void waits.push(0)) });
    await expect(waiting).rejects.toThrow();
    clearInterval(shows);
    expect(waits.length).toBeGreaterThan(5);
    await there.release();
  });

  it('of another machine that shows itself no more is taken over, by one of many', async () => {
    await writeFile(path(), JSON.stringify(foreign));
    const order: number[] = [];
    const startedAt = performance.now();
    await Promise.all(
      Array.from({ length: 8 }, async (_, index) => {
        const lock = await ProcessLock.acquire(path(), timings);
        order.push(index);
        await lock.assertHeld();
        order.push(index);
        await lock.release();
      }),
    );
    expect(performance.now() - startedAt).toBeGreaterThan(190);
    const pairs = order.filter((_, at) => at % 2 === 0).map((one, at) => [one, order[2 * at + 1]]);
    expect(pairs.every(([first, second]) => first === second)).toBe(true);
    expect(await readdir(directory)).toEqual([]);
  });

  it('whose writer died before it had written anything is taken over', async () => {
    await writeFile(path(), '');
    const lock = await ProcessLock.acquire(path(), timings);
    await lock.release();
    expect(await readdir(directory)).toEqual([]);
  });

  it('of a dead process of this machine is taken over at once', async () => {
    const holder = await ProcessLock.acquire(path(), timings);
    const own = JSON.parse(await readFile(path(), 'utf8')) as Record<string, unknown>;
    await holder.release();
    await writeFile(path(), JSON.stringify({ ...own, token: 'dead', startedAt: '1' }));
    const startedAt = performance.now();
    const lock = await ProcessLock.acquire(path(), { ...timings, staleMs: 60_000 });
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    await lock.release();
  });

  it('that was lost says so, and is not released for the one who has it', async () => {
    const lock = await ProcessLock.acquire(path(), timings);
    await writeFile(path(), JSON.stringify(foreign));
    await expect(lock.assertHeld()).rejects.toThrow(/taken over/);
    expect(lock.lost.aborted).toBe(true);
    await lock.release();
    expect(await readdir(directory)).toEqual(['x.lock']);
  });

  it('that is lost during a download makes it stop, wait and look again', async () => {
    const downloader = new ModelDownloader({ directory, limits: { lock: timings } });
    let isStolen = false;
    server.onSent(() => {
      if (isStolen) return;
      isStolen = true;
      void writeFile(join(directory, 'Model.pth.lock'), JSON.stringify(foreign));
    });
    const { isFetched } = await downloader.download(model);
    expect([isFetched, isStolen]).toEqual([true, true]);
    expect(await sha256OfFile(join(directory, 'Model.pth'))).toBe(SHA256);
    expect((await readdir(directory)).sort()).toEqual(['Model.pth', 'models.lock.json']);
  });
});
