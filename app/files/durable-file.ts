import type { FileHandle } from 'node:fs/promises';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Replaces a file by another content so that a crash leaves the old one or the new one, never a part. One writer at a
 * time: the temporary name is always `path + '.tmp'`.
 */
export async function writeDurably(path: string, text: string): Promise<void> {
  const temporary = `${path}.tmp`;
  try {
    const file = await open(temporary, 'w');
    try {
      await file.writeFile(text);
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }); // the half that a full disk took
    throw error;
  }
}

/** Makes a file's bytes survive a power cut. */
export async function syncFile(path: string): Promise<void> {
  await synced(await open(path, 'r+'));
}

/** Makes renames and new names in a folder survive a power cut. Where folders cannot be synced (Windows), does nothing. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform !== 'win32') await synced(await open(path, 'r'));
}

/** Makes the entry of a file in its folder survive a power cut. */
export async function syncParent(path: string): Promise<void> {
  await syncFolder(dirname(path));
}

async function synced(handle: FileHandle): Promise<void> {
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
