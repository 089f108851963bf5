import { readFileSync, readlinkSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Config } from '../../app/config.ts';
import { restoreOptions, restorePlan } from '../../app/options/restore-options.ts';
import { WorkerPool } from '../../app/worker/worker-pool.ts';
import { writeCheckpoint } from '../support/checkpoints/checkpoint-writer.ts';
import { buildManifestTensors, narrowed, readManifest } from '../support/checkpoints/hashed-weights.ts';
import { childProcesses } from '../support/child-processes.ts';
import { eventually } from '../support/eventually.ts';
import { gradient } from '../support/images/images.ts';
import { writePng } from '../support/images/png.ts';
import { openFiles } from '../support/servers/open-descriptors.ts';
import type { TemporaryFolder } from '../support/temporary-folder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { upscaleTask, workerConfig } from '../support/upscale-task.ts';

const FILTER = { upscaler: 'LANCZOS', scale: 2 };
/** The package's own network: it is there in every clone. */
const NETWORK = { upscaler: 'COMPACT_X2' };

describe('a worker beside a server', () => {
  let folder: TemporaryFolder;
  let pool: WorkerPool;

  beforeEach(async () => {
    folder = await temporaryFolder();
    await writeFile(join(folder.path, 'a.png'), writePng(gradient({ width: 64, height: 48, channels: 3, depth: 8 })));
    await writeFile(join(folder.path, 'b.png'), writePng(gradient({ width: 70, height: 20, channels: 1, depth: 16 })));
    await writeFile(join(folder.path, 'broken.png'), readFileSync(join(folder.path, 'a.png')).subarray(0, 200));
  });

  afterEach(async () => {
    await pool.close();
    expect(childProcesses()).toEqual([]);
    await folder.remove();
  });

  const open = async (changes: Partial<Config> = {}): Promise<void> => {
    pool = new WorkerPool(workerConfig(changes), { isBackground: true });
    await pool.warm();
  };
  const run = async (name: string, options: Readonly<Record<string, unknown>>, hooks = {}) =>
    pool.run({ ...upscaleTask(folder.path, [name], options), mayOverwrite: true }, hooks);

  it('that ran no network takes the next task, with nothing of the last one open or mapped', async () => {
    await open();
    const [worker = 0] = childProcesses();
    const before = placesOf(worker);
    await run('a.png', FILTER);
    expect(placesOf(worker)).toEqual(before);
    expect(openFiles(worker).filter((file) => file.includes(folder.path))).toEqual([]);
    expect(readFileSync(`/proc/${worker}/maps`, 'utf8')).not.toContain(folder.path);

    const [again] = await run('b.png', FILTER);
    expect(childProcesses()).toEqual([worker]);
    expect(again?.info).toMatchObject({ input: { width: 70, height: 20 }, fallbacks: [], warnings: [] });

    await pool.warm();
    const cancelled = new AbortController();
    const cancelling = run('a.png', FILTER, { signal: cancelled.signal, onProgress: () => cancelled.abort() });
    await expect(cancelling).rejects.toMatchObject({ code: 'ERR_CANCELLED' });
    expect(childProcesses()).not.toContain(worker);
  });

  it('ends after a network, and after a file that cannot be read', async () => {
    await open();
    const [first = 0] = childProcesses();
    await run('a.png', NETWORK);
    expect(childProcesses()).not.toContain(first);
    await pool.warm();
    const [second = 0] = childProcesses();
    const failed: unknown[] = [];
    await run('broken.png', FILTER, { onImageFailed: (_index: number, error: unknown) => failed.push(error) });
    expect(failed).toHaveLength(1);
    expect(childProcesses()).not.toContain(second);
  });

  it('keeps its model for the next task that wants it, until another is wanted or its time is over', async () => {
    await open({ modelKeepAliveMs: 60_000 });
    const [keeping = 0] = childProcesses();
    const [first] = await run('a.png', NETWORK);
    await pool.warm();
    const both = childProcesses();
    expect(both).toHaveLength(2);

    const [second] = await run('b.png', { ...NETWORK, scale: 3 });
    expect(childProcesses()).toEqual(both); // it has none of its own that had to end
    expect(second?.info).toMatchObject({ upscaler: 'COMPACT_X2', device: 'cpu', output: { width: 210, height: 60 } });
    const { architecture, precision, weights_sha256: sha256 } = first?.info ?? {};
    expect(second?.info).toMatchObject({ architecture, precision, weights_sha256: sha256 });
    await run('a.png', FILTER);
    expect(childProcesses()).toEqual(both);

    const [fp32] = await run('a.png', { ...NETWORK, precision: 'fp32' });
    expect(fp32?.info).toMatchObject({ precision_asked: 'fp32' });
    expect(childProcesses()).not.toContain(keeping);

    await pool.close();
    await open({ modelKeepAliveMs: 1000 });
    const [shortly = 0] = childProcesses();
    await run('a.png', NETWORK);
    await eventually(
      () => Promise.resolve(childProcesses()),
      (workers) => !workers.includes(shortly),
    );
  });

  it('ends with its model where the task is cancelled, or it is killed while it waits, and the next task has another', async () => {
    await open({ modelKeepAliveMs: 60_000 });
    const [crashed = 0] = childProcesses();
    await run('a.png', NETWORK);
    await pool.warm();
    expect(childProcesses()).toContain(crashed);
    process.kill(crashed, 'SIGKILL');
    await eventually(
      () => Promise.resolve(childProcesses()),
      (workers) => !workers.includes(crashed),
    );
    const [cancelled = 0] = childProcesses();
    const [next] = await run('b.png', NETWORK);
    expect(next?.info).toMatchObject({ upscaler: 'COMPACT_X2', fallbacks: [], warnings: [] });
    await pool.warm();
    expect(childProcesses()).toContain(cancelled);

    const caller = new AbortController();
    const cancelling = run('a.png', NETWORK, { signal: caller.signal, onProgress: () => caller.abort() });
    await expect(cancelling).rejects.toMatchObject({ code: 'ERR_CANCELLED' });
    expect(childProcesses()).not.toContain(cancelled);
  });

  it.each([
    ['denoise', 'NAFNet-SIDD-width64', {}],
    ['colorize', 'ddcolor_paper_tiny', { colorize_model: 'paper_tiny' }],
  ] as const)('keeps the network of a restoration of one step, too: %s', async (step, model, asked) => {
    const modelsDir = join(folder.path, 'models');
    await mkdir(modelsDir);
    const network = narrowed(readManifest(model));
    const file = join(modelsDir, `${model}.pth`);
    writeCheckpoint(file, buildManifestTensors(network), { format: 'pth-zip', root: network.root });
    await open({ modelKeepAliveMs: 60_000, modelsDir });
    const restore = async (name: string) => {
      const { images, output } = upscaleTask(folder.path, [name], {});
      const plan = restorePlan(restoreOptions.parse(asked), step);
      return pool.run({ kind: 'restore', images, output, ...plan, mayOverwrite: true });
    };
    await restore('a.png');
    await pool.warm();
    const both = childProcesses();
    expect(both).toHaveLength(2);
    const [second] = await restore('b.png');
    expect(childProcesses()).toEqual(both);
    expect(second?.info).toMatchObject({ output: { width: 70, height: 20 }, fallbacks: [], warnings: [] });
  });
});

function placesOf(pid: number): readonly string[] {
  return [readlinkSync(`/proc/${pid}/cwd`), readFileSync(`/proc/${pid}/environ`, 'utf8')];
}
