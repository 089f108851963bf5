import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const CHILD = fileURLToPath(new URL('restore-models-child.ts', import.meta.url));
const PROJECT = fileURLToPath(new URL('../../..', import.meta.url));

/** Writes the networks of restore-models-child.ts into a folder; in another process, where it is faster. */
export async function writeRestoreModels(folder: string): Promise<void> {
  await promisify(execFile)(process.execPath, ['--import', 'tsx', CHILD, folder], { cwd: PROJECT });
}
