import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const CHILD = fileURLToPath(new URL('face-models-child.ts', import.meta.url));
const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Writes the checkpoints of the default face pipeline into a folder; in another process, where it is faster.
 * @param more manifests of others
 */
export async function writeFaceModels(folder: string, more: readonly string[] = []): Promise<void> {
  await promisify(execFile)(process.execPath, ['--import', 'tsx', CHILD, folder, ...more], { cwd: PROJECT });
}
