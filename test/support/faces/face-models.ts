import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const CHILD = fileURLToPath(new URL('face-models-child.ts', import.meta.url));
const PROJECT = fileURLToPath(new URL('../../..', import.meta.url));

/** Manifests of what every face pipeline needs but for what restores. */
export const FINDERS = ['detection_Resnet50_Final', 'parsing_parsenet'] as const;

/** Writes the checkpoints of manifests into a folder; in another process, where it is faster. */
export async function writeFaceModels(folder: string, names: readonly string[]): Promise<void> {
  await promisify(execFile)(process.execPath, ['--import', 'tsx', CHILD, folder, ...names], { cwd: PROJECT });
}
