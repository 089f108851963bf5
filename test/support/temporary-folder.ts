import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder of a test's own; `remove` it in `afterEach`. */
export interface TemporaryFolder {
  readonly path: string;
  /** Every file in it, relative, sorted. */
  files(): Promise<string[]>;
  remove(): Promise<void>;
}

export async function temporaryFolder(): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), 'hiresfix-test-'));
  return {
    path,
    files: async () => {
      const entries = await readdir(path, { recursive: true, withFileTypes: true });
      return entries
        .filter((entry) => !entry.isDirectory())
        .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
        .sort();
    },
    remove: () => rm(path, { recursive: true, force: true }),
  };
}
