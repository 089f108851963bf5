import type { Dirent } from 'node:fs';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder of a test's own; `remove` it in `afterEach`. */
export interface TemporaryFolder {
  readonly path: string;
  /** Every file in it, relative, sorted. */
  files(): Promise<string[]>;
  /** Those of jobs: all but the service's own state. */
  jobFiles(): Promise<string[]>;
  remove(): Promise<void>;
}

/** A folder that is removed while it is listed is listed again. */
async function list(path: string): Promise<Dirent[]> {
  for (;;) {
    try {
      return await readdir(path, { recursive: true, withFileTypes: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || !existsSync(path)) throw error;
    }
  }
}

export async function temporaryFolder(): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), 'hiresfix-test-'));
  const files = async (): Promise<string[]> => {
    const entries = await list(path);
    return entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
      .sort();
  };
  return {
    path,
    files,
    jobFiles: async () => (await files()).filter((file) => !file.includes('.state/')),
    remove: () => rm(path, { recursive: true, force: true }),
  };
}
