import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FOREIGN_FILES } from './foreign-files.ts';
import type { HostileFile } from './hostile-file.ts';
import { hostileNetworks } from './hostile-networks.ts';
import { HOSTILE_PICKLES } from './hostile-pickles.ts';
import { HOSTILE_TENSORS } from './hostile-tensors.ts';

/** What would be left behind by a file that was executed. */
export const CANARY = 'canary';

/**
 * Files that are to be refused, or may be inspected and make no picture: of other kinds, broken on their way, or made to harm.
 * Over 200, made in seconds; each is a kind of its own.
 */
export function hostileCorpus(): readonly HostileFile[] {
  return [...FOREIGN_FILES, ...HOSTILE_PICKLES, ...HOSTILE_TENSORS, ...hostileNetworks()];
}

/** Writes the corpus into a folder; returns the names. */
export function writeHostileCorpus(folder: string, files = hostileCorpus()): readonly string[] {
  mkdirSync(folder, { recursive: true });
  for (const { name, bytes } of files) writeFileSync(join(folder, name), bytes);
  return files.map(({ name }) => name);
}
