import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';

/** A folder for the files of one test file, removed when its tests are done. */
export function scratchFolder(): {
  path: (name: string) => string;
  write: (name: string, bytes: Uint8Array) => string;
} {
  const folder = mkdtempSync(join(tmpdir(), 'hiresfix-checkpoints-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const path = (name: string) => join(folder, name);
  return {
    path,
    write(name, bytes) {
      writeFileSync(path(name), bytes);
      return path(name);
    },
  };
}
