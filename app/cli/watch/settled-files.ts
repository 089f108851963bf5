import { stat } from 'node:fs/promises';
import type { InputFile } from '../inputs/input-files.ts';

/** A file that nobody writes any more, and by what one would see that somebody did. */
export interface SettledFile {
  readonly file: InputFile;
  readonly signature: string;
}

/** How long a file must not have changed to count as written; an empty one is waited for longer. */
export const SETTLE_MS = 1000;
const EMPTY_SETTLE_MS = 10_000;

interface Seen {
  readonly signature: string;
  /** Of the clock of `performance`. */
  readonly since: number;
}

/** Tells which files are written completely: those that have not changed while they were watched for a second. */
export class SettledFiles {
  #seen: ReadonlyMap<string, Seen> = new Map();
  readonly #done = new Map<string, string>();

  /**
   * Looks at files again.
   * @returns those that have settled and were not done as they are, and whether others may soon
   */
  async look(
    files: readonly InputFile[],
  ): Promise<{ readonly settled: readonly SettledFile[]; readonly isWaiting: boolean }> {
    const seen = new Map<string, Seen>();
    const settled: SettledFile[] = [];
    const now = performance.now();
    for (const file of files) {
      const info = await stat(file.path).catch(() => undefined);
      if (!info) continue;
      const signature = `${info.ino}:${info.size}:${info.mtimeMs}`;
      if (this.#done.get(file.path) === signature) continue;
      const before = this.#seen.get(file.path);
      const since = before?.signature === signature ? before.since : now;
      seen.set(file.path, { signature, since });
      if (now - since >= (info.size === 0 ? EMPTY_SETTLE_MS : SETTLE_MS)) settled.push({ file, signature });
    }
    this.#seen = seen;
    return { settled, isWaiting: seen.size > settled.length };
  }

  /** Does not tell of a file again until it changes. */
  done({ file, signature }: SettledFile): void {
    this.#done.set(file.path, signature);
  }
}
