import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, watch } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Config } from '../../app/config.ts';
import type { WorkProgress } from '../../app/processing/progress.ts';
import type { ImageResult } from '../../app/processing/result.ts';
import type { WorkerPoolOptions } from '../../app/worker/worker-pool.ts';
import { WorkerPool } from '../../app/worker/worker-pool.ts';
import { childProcesses } from '../support/child-processes.ts';
import { difference, gradient } from '../support/images/images.ts';
import { readPng, writePng } from '../support/images/png.ts';
import type { TemporaryFolder } from '../support/temporary-folder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { scratchFolders, upscaleTask, workerConfig } from '../support/upscale-task.ts';

/** The package's own network: it is there in every clone. */
const NETWORK = { upscaler: 'COMPACT_X2' };

describe('the worker pool', () => {
  let folder: TemporaryFolder;
  const pools: WorkerPool[] = [];
  const scratchBefore = new Set(scratchFolders(tmpdir()));

  beforeEach(async () => {
    folder = await temporaryFolder();
  });

  afterEach(async () => {
    await Promise.all(pools.splice(0).map((pool) => pool.close()));
    expect(childProcesses()).toEqual([]);
    expect(scratchFolders(folder.path)).toEqual([]);
    expect(scratchFolders(tmpdir()).filter((name) => !scratchBefore.has(name))).toEqual([]);
    await folder.remove();
  });

  const poolOf = (options: Partial<WorkerPoolOptions> = {}, config: Partial<Config> = {}): WorkerPool => {
    const pool = new WorkerPool(workerConfig(config), { isBackground: false, ...options });
    pools.push(pool);
    return pool;
  };
  const picture = async (name: string, width: number, height: number): Promise<string> => {
    await writeFile(join(folder.path, name), writePng(gradient({ width, height, channels: 3, depth: 8 })));
    return name;
  };
  const task = (names: readonly string[], options: Readonly<Record<string, unknown>>) =>
    upscaleTask(folder.path, names, options);
  const pixels = (result: ImageResult | undefined) => readPng(readFileSync(result?.file ?? ''));
  /** Runs `strike` whenever a tile is about to be worked on: its worker is in the middle of it then. */
  const inMidTile = (strike: (pid: number, progress: WorkProgress) => void) => ({
    onProgress: (progress: WorkProgress) => {
      if (progress.stage !== 'upscaling' || progress.tile === progress.tiles) return;
      for (const pid of childProcesses()) strike(pid, progress);
    },
  });
  const kill = (pid: number): void => void process.kill(pid, 'SIGKILL');

  it('tells of every tile, finishes images in order, and loads the network once', async () => {
    const progress: WorkProgress[] = [];
    const told: number[] = [];
    const names = [await picture('a.png', 128, 64), await picture('b.png', 64, 64), await picture('c.png', 100, 30)];
    const results = await poolOf().run(task(names, { ...NETWORK, tile: 64, scale: 2.5 }), {
      onProgress: (one) => progress.push(one),
      onResult: ({ index }) => told.push(index),
    });

    expect(told).toEqual([0, 1, 2]);
    expect(results.map(({ index, info }) => [index, info.output])).toEqual([
      [0, { width: 320, height: 160 }],
      [1, { width: 160, height: 160 }],
      [2, { width: 250, height: 75 }],
    ]);
    const tiles = progress
      .filter(({ stage }) => stage === 'upscaling')
      .map((one) => `${one.image}: ${one.tile}/${one.tiles}`);
    expect(tiles).toEqual(['1: 0/2', '1: 1/2', '1: 2/2', '2: 0/1', '2: 1/1', '3: 0/2', '3: 1/2', '3: 2/2']);
    const shares = progress.map((one) => one.progress);
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect(shares.at(-1)).toBe(1);
    expect(new Set(progress.map(({ stage }) => stage))).toEqual(
      new Set(['loading', 'upscaling', 'resizing', 'encoding']),
    );

    const [first = NaN, ...later] = results.map(({ info }) => info.seconds['load'] ?? NaN);
    expect(first).toBeGreaterThan(0.005);
    for (const seconds of later) expect(seconds).toBeLessThan(first / 2); // it looks, and loads nothing
    expect(results[0]?.info).toMatchObject({
      upscaler: 'COMPACT_X2',
      asked_upscaler: 'COMPACT_X2',
      model: 'compact-x2.safetensors',
      weights_sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      architecture: 'Compact',
      native_scale: 2,
      scale: 2.5,
      passes: 1,
      device: 'cpu',
      tile: 64,
      tiles: 2,
      format: 'png',
      fallbacks: [],
    });
  });

  it('retries a task whose worker was killed in mid-tile with smaller tiles, says so, and makes the same picture', async () => {
    const names = [await picture('a.png', 500, 250)];
    let kills = 0;
    const results = await poolOf().run(
      task(names, { ...NETWORK, tile: 256 }),
      inMidTile((pid, { tile }) => {
        if (tile === 1 && kills++ === 0) kill(pid);
      }),
    );
    expect(results[0]?.info).toMatchObject({
      fallbacks: [{ from: 'tile 256', to: 'tile 200', reason: 'was killed by SIGKILL' }],
      tile: 200,
      tiles: 6,
    });
    const survivor = pixels(results[0]);
    const undisturbed = await poolOf().run({ ...task(names, { ...NETWORK, tile: 0 }), mayOverwrite: true });
    expect(undisturbed[0]?.info.fallbacks).toEqual([]);
    expect(difference(survivor, pixels(undisturbed[0])).max).toBeLessThanOrEqual(1);
  });

  it('keeps the result of a worker that dies as it has written it, told of or not', async () => {
    const names = [await picture('a.png', 300, 140)];
    let isKilled = false;
    const watcher = watch(folder.path, () => {
      if (isKilled || !existsSync(join(folder.path, 'out-0.png'))) return;
      isKilled = true;
      childProcesses().forEach(kill);
    });
    try {
      const results = await poolOf().run(task(names, { ...NETWORK, tile: 256 }));
      expect([isKilled, results.map(({ info }) => info.output.width)]).toEqual([true, [600]]);
    } finally {
      watcher.close();
    }
  });

  it('gives up after the last rung, and runs the next task', async () => {
    const names = [await picture('a.png', 1000, 110)];
    const pool = poolOf();
    const attempts: string[] = [];
    const run = pool.run(
      task(names, NETWORK),
      inMidTile((pid, { tiles }) => {
        attempts.push(`${tiles} tiles`);
        kill(pid);
      }),
    );
    await expect(run).rejects.toMatchObject({
      code: 'ERR_WORKER_CRASHED',
      message: 'the worker process was killed by SIGKILL',
    });
    expect(attempts).toEqual(['2 tiles', '3 tiles', '5 tiles', '20 tiles', '32 tiles']); // 992, 400, 200, 100, 64
    expect(await folder.files()).toEqual(['a.png']);
    expect(await pool.run(task(names, NETWORK))).toHaveLength(1);
  });

  it('loses one image of a batch, not the others, where a worker dies over it', async () => {
    const names = [await picture('a.png', 64, 20), await picture('b.png', 300, 300), await picture('c.png', 64, 40)];
    const failed: string[] = [];
    const results = await poolOf().run(task(names, { ...NETWORK, tile: 32 }), {
      ...inMidTile((pid, { image }) => {
        if (image === 2) kill(pid);
      }),
      onImageFailed: (index, { code }) => failed.push(`${index} ${code}`),
    });
    expect(failed).toEqual(['1 ERR_WORKER_CRASHED']);
    expect(results.map(({ index, info }) => [index, info.output.height])).toEqual([
      [0, 40],
      [2, 80],
    ]);
  });

  it('kills a worker that hangs, and retries', async () => {
    const names = [await picture('a.png', 400, 300)];
    let stops = 0;
    const results = await poolOf({ hang: { intervalMs: 50, silenceMs: 2000 } }).run(
      task(names, { ...NETWORK, tile: 200 }),
      inMidTile((pid) => {
        if (stops++ === 0) process.kill(pid, 'SIGSTOP');
      }),
    );
    expect(results[0]?.info.fallbacks).toEqual([{ from: 'tile 200', to: 'tile 100', reason: 'hung and was killed' }]);
  });

  it('ends a task that takes too long', async () => {
    const names = [await picture('a.png', 600, 400)];
    const run = poolOf({}, { jobTimeoutMs: 6000 }).run(
      task(names, NETWORK),
      inMidTile((pid) => process.kill(pid, 'SIGSTOP')),
    );
    await expect(run).rejects.toMatchObject({ code: 'ERR_JOB_TIMEOUT', message: expect.stringContaining('6 s') });
  });

  it('cancels a task within a second, in mid-tile', async () => {
    const names = [await picture('a.png', 600, 400)];
    const controller = new AbortController();
    let asked = 0;
    const run = poolOf().run(task(names, { ...NETWORK, tile: 0 }), {
      signal: controller.signal,
      onProgress: ({ stage }) => {
        if (stage !== 'upscaling' || asked > 0) return;
        asked = performance.now();
        controller.abort();
      },
    });
    await expect(run).rejects.toMatchObject({ code: 'ERR_CANCELLED' });
    expect(performance.now() - asked).toBeLessThan(1000);
    expect(childProcesses()).toEqual([]);
    expect(await folder.files()).toEqual(['a.png']);
  });

  it('cancels a task whose worker is not up yet, and one that was cancelled before', async () => {
    const names = [await picture('a.png', 20, 20)];
    const controller = new AbortController();
    const pool = poolOf();
    const run = pool.run(task(names, { upscaler: 'LANCZOS' }), { signal: controller.signal });
    while (childProcesses().length === 0) await new Promise(setImmediate);
    const asked = performance.now();
    controller.abort();
    await expect(run).rejects.toMatchObject({ code: 'ERR_CANCELLED' });
    expect(performance.now() - asked).toBeLessThan(1000);
    const again = pool.run(task(names, { upscaler: 'LANCZOS' }), { signal: controller.signal });
    await expect(again).rejects.toMatchObject({ code: 'ERR_CANCELLED' });
    expect(await folder.files()).toEqual(['a.png']);
  });

  it('does without a spare worker that was killed or stopped while it waited', async () => {
    const names = [await picture('a.png', 20, 20)];
    const pool = poolOf({ isBackground: true, hang: { intervalMs: 50, silenceMs: 2000 } });
    await pool.warm();
    const [spare = 0] = childProcesses();
    kill(spare);
    const [killed] = await pool.run(task(names, { upscaler: 'LANCZOS' }));
    expect(killed?.info.fallbacks).toEqual([]);

    await pool.warm();
    process.kill(childProcesses()[0] ?? 0, 'SIGSTOP');
    const [stopped] = await pool.run({ ...task(names, { upscaler: 'LANCZOS' }), mayOverwrite: true });
    expect(stopped?.info.fallbacks).toEqual([]);
  });

  it('keeps one worker forked ahead beside a server, and it gives way to the server', async () => {
    const names = [await picture('a.png', 20, 20)];
    const pool = poolOf({ isBackground: true });
    await pool.warm();
    const [spare = 0] = childProcesses();
    const workers: number[] = [];
    await pool.run(task(names, { upscaler: 'LANCZOS' }), { onProgress: () => workers.push(...childProcesses()) });
    expect(new Set(workers)).toEqual(new Set([spare]));
    await pool.warm();
    const [next = 0] = childProcesses();
    expect(next).toBe(spare); // it ran no network
    const stat = readFileSync(`/proc/${next}/stat`, 'utf8');
    expect(Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16])).toBeGreaterThan(0); // nice
  });

  it('ends what runs when it is closed, and takes no more', async () => {
    const names = [await picture('a.png', 600, 400)];
    const pool = poolOf({ isBackground: true });
    let closed: Promise<void> | undefined;
    const run = pool.run(
      task(names, NETWORK),
      inMidTile(() => {
        closed ??= pool.close();
      }),
    );
    await expect(run).rejects.toMatchObject({ code: 'ERR_CANCELLED', message: 'the service is shutting down' });
    await closed;
    expect(childProcesses()).toEqual([]);
    await expect(pool.run(task(names, NETWORK))).rejects.toMatchObject({ code: 'ERR_CANCELLED' });
  });

  it('leaves no worker and no scratch behind when the server itself is killed', async () => {
    await picture('a.png', 900, 900);
    const program = fileURLToPath(new URL('../support/pool-parent-child.ts', import.meta.url));
    const server = spawn(process.execPath, ['--import', 'tsx', program, join(folder.path, 'a.png')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(server.stdout, 'data');
    const workers = childProcesses(server.pid);
    expect(workers.length).toBeGreaterThanOrEqual(1);
    expect(scratchFolders(folder.path)).toHaveLength(1);
    server.kill('SIGKILL');
    await once(server, 'exit');
    while (workers.some((pid) => existsSync(`/proc/${pid}`))) await new Promise(setImmediate);
    expect(scratchFolders(folder.path)).toEqual([]);
    expect(await folder.files()).toEqual(['a.png']);
  });

  it('lets a signal that the terminal sends to every process reach the server alone', async () => {
    const names = [await picture('a.png', 500, 250)];
    const results = await poolOf().run(
      task(names, { ...NETWORK, tile: 128 }),
      inMidTile((pid) => {
        for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(pid, signal);
      }),
    );
    expect(results[0]?.info.fallbacks).toEqual([]);
  });

  describe('with images that cannot be read', () => {
    const bad = async (name: string): Promise<string> => {
      await writeFile(join(folder.path, name), 'this is text');
      return name;
    };

    it('goes on with the others of a batch, where somebody is told', async () => {
      const names = [await picture('a.png', 9, 9), await bad('b.png'), 'lost.png', await picture('c.png', 8, 8)];
      const failed: string[] = [];
      const results = await poolOf().run(task(names, { upscaler: 'LANCZOS' }), {
        onImageFailed: (index, { code, message }) => failed.push(`${index} ${code} ${message}`),
      });
      expect(results.map(({ index }) => index)).toEqual([0, 3]);
      expect(failed).toEqual([
        expect.stringMatching(/^1 ERR_BAD_IMAGE b\.png: .*a text file/),
        expect.stringMatching(/^2 ERR_BAD_IMAGE lost\.png: .*ENOENT/),
      ]);
    });

    it('fails the task where nobody is told, and a task of one', async () => {
      const names = [await bad('b.png'), await picture('a.png', 9, 9)];
      const pool = poolOf();
      await expect(pool.run(task(names, { upscaler: 'LANCZOS' }))).rejects.toMatchObject({ code: 'ERR_BAD_IMAGE' });
      await expect(pool.run(task(['b.png'], { upscaler: 'LANCZOS' }))).rejects.toMatchObject({ code: 'ERR_BAD_IMAGE' });
    });

    it('fails the whole task where it is the task that is wrong, and says so once', async () => {
      const names = [await picture('a.png', 9, 9), await picture('b.png', 9, 9)];
      const failed: number[] = [];
      const run = poolOf().run(task(names, { upscaler: 'FANCY' }), { onImageFailed: (index) => failed.push(index) });
      await expect(run).rejects.toMatchObject({ code: 'ERR_UNKNOWN_UPSCALER' });
      expect(failed).toEqual([]);
    });
  });

  it('keeps results that are there, whole, and replaces them where that was asked for', async () => {
    const names = [await picture('a.png', 9, 9)];
    await writeFile(join(folder.path, 'out-0.png'), 'mine');
    const pool = poolOf();
    const asked = task(names, { upscaler: 'LANCZOS' });
    await expect(pool.run(asked)).rejects.toMatchObject({ code: 'ERR_FILE_EXISTS' });
    expect(readFileSync(join(folder.path, 'out-0.png'), 'utf8')).toBe('mine');
    const [result] = await pool.run({ ...asked, mayOverwrite: true });
    expect(pixels(result).width).toBe(18);
  });
});
