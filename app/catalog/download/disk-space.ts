import { statfs } from 'node:fs/promises';

/** What a download needs beside its own bytes: sidecar, lock files, the file system's own. */
const MARGIN = 2 ** 20;

/** How many bytes would have to be freed before `bytes` more fit into a folder; 0 where they fit. */
export async function missingSpace(directory: string, bytes: number): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return Math.max(0, bytes + MARGIN - bavail * bsize);
}

/** Bytes for people: `12.3 MB`. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
