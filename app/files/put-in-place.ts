import { chmod, copyFile, mkdtemp, readlink, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { errorCode } from './error-code.ts';

/** As many links as Linux follows. */
const MAX_LINKS = 40;
const PERMISSIONS = 0o777;

/**
 * Puts a file that is complete where it belongs: what is at `target` is always whole. A file that is replaced keeps its
 * permissions, and a link stays a link: what it leads to is replaced.
 * @param finished is gone afterwards
 */
export async function putInPlace(finished: string, target: string): Promise<void> {
  const place = await behindLinks(target);
  const replaced = await stat(place).catch(nothingThere);
  if (replaced) await chmod(finished, replaced.mode & PERMISSIONS);
  try {
    await rename(finished, place);
  } catch (error) {
    if (errorCode(error) !== 'EXDEV') throw error;
    await acrossDisks(finished, place);
  }
}

/** Where a path leads, whether there is something or not. */
async function behindLinks(path: string): Promise<string> {
  let place = path;
  for (let links = 0; links < MAX_LINKS; links++) {
    const next = await readlink(place).catch((error: unknown) => {
      if (['EINVAL', 'ENOENT'].includes(errorCode(error) ?? '')) return undefined; // no link
      throw error;
    });
    if (next === undefined) return place;
    place = resolve(dirname(place), next);
  }
  return path; // links that lead in a circle, which the system then says
}

async function acrossDisks(finished: string, place: string): Promise<void> {
  const folder = await mkdtemp(join(dirname(place), '.hiresfix-'));
  try {
    const copy = join(folder, 'copy');
    await copyFile(finished, copy);
    await rename(copy, place);
    await rm(finished);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function nothingThere(error: unknown): undefined {
  if (errorCode(error) === 'ENOENT') return undefined;
  throw error;
}
