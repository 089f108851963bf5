import { rename, stat } from 'node:fs/promises';
import { syncParent } from '../files/durable-file.ts';
import { sha256OfFile } from '../files/file-hash.ts';
import type { LockedModel } from './models-lock-file.ts';
import { errorCode } from '../files/error-code.ts';

/** A file's identity as far as it can be seen without reading it. */
export interface FileStamp {
  readonly size: number;
  readonly mtimeMs: number;
}

/**
 * `missing`; `unrecorded`: placed by the user; `verified`: as the downloader wrote it; `corrupt`: no longer so.
 * `sha256` is there where it was taken or is recorded.
 */
export interface FileCheck {
  readonly state: 'missing' | 'unrecorded' | 'verified' | 'corrupt';
  readonly stamp?: FileStamp;
  readonly sha256?: string;
}

/**
 * Holds a file against what the downloader recorded of it. A file of unchanged size and time counts as unchanged, unless
 * `isThorough`; others are read as a whole.
 */
export async function checkFile(
  path: string,
  locked: LockedModel | undefined,
  options: { readonly isThorough?: boolean; readonly signal?: AbortSignal | undefined } = {},
): Promise<FileCheck> {
  const stamp = await stampOf(path);
  if (!stamp) return { state: 'missing' };
  if (!locked) return { state: 'unrecorded', stamp };
  if (stamp.size !== locked.size) return { state: 'corrupt', stamp };
  if (!options.isThorough && stamp.mtimeMs === locked.mtime_ms)
    return { state: 'verified', stamp, sha256: locked.sha256 };
  const sha256 = await sha256OfFile(path, options.signal);
  return { state: sha256 === locked.sha256 ? 'verified' : 'corrupt', stamp, sha256 };
}

/**
 * Renames a corrupt file to `<file>.corrupt` (or `.corrupt-2`, ...) so that it is not used, and not lost. Returns the new
 * path; undefined where the file is no longer the one that was checked, since another process was faster.
 */
export async function setAside(path: string, checked: FileStamp): Promise<string | undefined> {
  const now = await stampOf(path);
  if (now?.size !== checked.size || now.mtimeMs !== checked.mtimeMs) return undefined;
  let aside = `${path}.corrupt`;
  for (let count = 2; await stampOf(aside); count += 1) aside = `${path}.corrupt-${count}`;
  await rename(path, aside);
  await syncParent(path);
  return aside;
}

/** Size and time of a file; undefined where there is none. */
export async function stampOf(path: string): Promise<FileStamp | undefined> {
  try {
    const { size, mtimeMs } = await stat(path);
    return { size, mtimeMs };
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}
