import { createHash } from 'node:crypto';
import { readFileSync, realpathSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from './usable-folder.ts';
import { cacheFolder } from './user-folders.ts';

/** A file that was changed less than this ago may be changed again without its times telling. */
const SETTLED_MS = 100;

/**
 * What was found out about files by reading them whole, kept from one process to the next in a folder of the user's: a small
 * file for every fact, named by the identity of what it is about (place, inode, size, times). Where the folder cannot be
 * written nothing is kept, and files are read again.
 */
export class RememberedFacts {
  readonly #folder: string;

  constructor(folder = join(cacheFolder(), 'files')) {
    this.#folder = folder;
  }

  /** The fact of that name about a file, as it was told, where the file has not changed since. */
  recall(file: string, fact: string): string | undefined {
    try {
      return readFileSync(this.#placeOf(file, fact), 'utf8');
    } catch {
      return undefined; // not known, or not to be read: then it is found out again
    }
  }

  /**
   * Keeps a fact about a file.
   * @param since when reading the file began, in milliseconds since 1970: one that changed after that is another file
   */
  remember(file: string, fact: string, { text, since }: { readonly text: string; readonly since: number }): void {
    try {
      if (statSync(file).ctimeMs > since - SETTLED_MS) return;
      const place = this.#placeOf(file, fact);
      makeFolder(this.#folder);
      writeFileSync(`${place}.${process.pid}`, text);
      renameSync(`${place}.${process.pid}`, place);
    } catch {
      // A read-only system: what cannot be kept is found out again.
    }
  }

  #placeOf(file: string, fact: string): string {
    const path = realpathSync(file);
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    const identity = [path, dev, ino, size, mtimeNs, ctimeNs].join('\n');
    return join(this.#folder, `${createHash('sha256').update(identity).digest('hex')}.${fact}`);
  }
}
