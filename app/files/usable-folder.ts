import { mkdirSync, statSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorCode } from './error-code.ts';

const FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);

/**
 * Makes a folder, with those above it, and sees whether files can be made in it. A disk that is full may have room later.
 * @throws what the system says where it cannot be made, is no folder or takes no files
 */
export async function makeUsableFolder(path: string): Promise<void> {
  makeFolder(path);
  const probe = join(path, `.probe-${process.pid}`);
  try {
    await writeFile(probe, '');
  } catch (error) {
    if (!FULL.has(errorCode(error) ?? '')) throw error;
  } finally {
    await rm(probe, { force: true });
  }
}

/**
 * Makes a folder, with those above it: step by step, as Node's own `recursive` never ends below a folder that is there but
 * takes no others, such as `/proc`.
 * @throws what the system says where it cannot be made, or a file has its name
 */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    const code = errorCode(error);
    if (isFolder(path)) return;
    const above = dirname(path);
    if (code !== 'ENOENT' || above === path || isFolder(above)) throw error;
    makeFolder(above);
    makeFolder(path);
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
