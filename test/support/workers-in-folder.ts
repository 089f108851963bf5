import { afterAll, beforeAll } from '@jest/globals';
import type { Config } from '../../app/config.ts';
import { WorkerPool } from '../../app/worker/worker-pool.ts';
import type { TemporaryFolder } from './temporary-folder.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { workerConfig } from './upscale-task.ts';

/** To be read in tests and in what runs before them. */
export interface WorkersInFolder {
  readonly folder: string;
  readonly pool: WorkerPool;
}

/** Workers for the tests around the call, and a folder that is their `MODELS_DIR` too: both end with the last of the tests. */
export function workersInFolder(changes: Partial<Config> = {}): WorkersInFolder {
  let folder: TemporaryFolder;
  let pool: WorkerPool;
  beforeAll(async () => {
    folder = await temporaryFolder();
    pool = new WorkerPool(workerConfig({ modelsDir: folder.path, ...changes }), { isBackground: false });
  });
  afterAll(async () => {
    await pool.close();
    await folder.remove();
  });
  return {
    get folder() {
      return folder.path;
    },
    get pool() {
      return pool;
    },
  };
}
