import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * What changes when a file of weights is replaced, or something is laid beside it: its int8 form may be new.
 * @throws what the system says of a file that is not there
 */
export async function fileStamps(file: string): Promise<readonly number[]> {
  const [found, folder] = await Promise.all([stat(file), stat(dirname(file))]);
  return [found.dev, found.ino, found.size, found.mtimeMs, found.ctimeMs, folder.mtimeMs];
}
