import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { LeftOut } from './left-out.ts';

/** What lies in a folder and below it. */
export interface FolderContent {
  /** Files that are not hidden, by their paths, sorted. */
  readonly files: readonly string[];
  readonly leftOut: readonly LeftOut[];
}

/** What systems put into folders by themselves, of which nobody wants to hear. */
const LITTER = /^(\.DS_Store|\._.*|Thumbs\.db|desktop\.ini|\.hiresfix-.*)$/i;

/** Searches a folder to the bottom, through links too, each folder once: what is reached by itself goes before links to it. */
export async function walkFolder(root: string): Promise<FolderContent> {
  const files: string[] = [];
  const leftOut: LeftOut[] = [];
  const searched = new Set<string>();
  const links: string[] = [];
  const folders = [root];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop() ?? links.shift()) {
    const entries = await enter(folder, searched, leftOut);
    for (const entry of entries) {
      const path = join(folder, entry.name);
      const kind = await kindOf(entry, path);
      if (kind === 'litter') continue;
      if (kind === 'file') files.push(path);
      else if (kind === 'folder') folders.push(path);
      else if (kind === 'linked folder') links.push(path);
      else leftOut.push({ path, reason: kind });
    }
  }
  return { files: files.sort(), leftOut: leftOut.sort((a, b) => (a.path < b.path ? -1 : 1)) };
}

/** The entries of a folder that was not searched before. */
async function enter(folder: string, searched: Set<string>, leftOut: LeftOut[]): Promise<readonly Dirent[]> {
  try {
    const place = await realpath(folder);
    if (searched.has(place)) {
      leftOut.push({ path: folder, reason: 'loop' });
      return [];
    }
    searched.add(place);
    return await readdir(folder, { withFileTypes: true });
  } catch {
    leftOut.push({ path: folder, reason: 'unreadable' });
    return [];
  }
}

type Kind = 'litter' | 'file' | 'folder' | 'linked folder' | 'hidden' | 'unreadable';

async function kindOf(entry: Dirent, path: string): Promise<Kind> {
  if (LITTER.test(entry.name)) return 'litter';
  if (entry.name.startsWith('.')) return 'hidden';
  if (entry.isDirectory()) return 'folder';
  if (entry.isFile()) return 'file';
  const behind = entry.isSymbolicLink() ? await stat(path).catch(() => undefined) : undefined;
  if (behind?.isDirectory() === true) return 'linked folder';
  return behind?.isFile() === true ? 'file' : 'unreadable'; // a link that leads nowhere, a socket, a device
}
