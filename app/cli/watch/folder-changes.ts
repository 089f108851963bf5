import type { FSWatcher } from 'node:fs';
import { watch } from 'node:fs';

/** Even where files change all the time. */
const LEAST_PAUSE_MS = 250;

/**
 * Wakes whoever waits for files to appear. What the system tells of is heard at once; of folders below, and of disks that tell
 * nothing, such as those of a network, only the clock wakes, so whoever waits has to look.
 */
export class FolderChanges {
  readonly #watchers: readonly FSWatcher[];
  #hasChanged = false;
  #wake: (() => void) | undefined;

  constructor(folders: readonly string[]) {
    this.#watchers = folders.flatMap((folder) => this.#watch(folder));
  }

  /** Waits for a change, at most for `mostMs`; returns early where `signal` aborts. */
  async next(mostMs: number, signal: AbortSignal): Promise<void> {
    await this.#sleep(LEAST_PAUSE_MS, signal);
    if (!this.#hasChanged) await this.#sleep(mostMs - LEAST_PAUSE_MS, signal, true);
    this.#hasChanged = false;
  }

  close(): void {
    for (const watcher of this.#watchers) watcher.close();
  }

  /** A folder that cannot be watched, for want of watches or of itself, is looked at by the clock alone. */
  #watch(folder: string): readonly FSWatcher[] {
    try {
      const watcher = watch(folder, () => {
        this.#hasChanged = true;
        this.#wake?.();
      });
      watcher.on('error', () => watcher.close());
      return [watcher];
    } catch {
      return [];
    }
  }

  #sleep(ms: number, signal: AbortSignal, endsByChange = false): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(end, ms);
      if (signal.aborted) end();
      signal.addEventListener('abort', end);
      if (endsByChange) this.#wake = end;
    });
  }
}
