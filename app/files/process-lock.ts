import { randomUUID } from 'node:crypto';
import { open, readFile, rm, stat, utimes } from 'node:fs/promises';
import { z } from 'zod';
import { isRunning, ownIdentity } from './process-identity.ts';
import { pause } from './pause.ts';
import { errorCode } from './error-code.ts';

/** In ms. */
export interface ProcessLockTimings {
  /** How often the holder shows that it lives. */
  readonly heartbeatMs: number;
  /** A holder on another machine that has not shown itself for so long is taken for dead. */
  readonly staleMs: number;
  /** How often a waiting process looks. */
  readonly pollMs: number;
}

const holderSchema = z.object({
  token: z.string(),
  pid: z.int(),
  startedAt: z.string().nullable(),
  scope: z.string(),
});
type Holder = z.infer<typeof holderSchema>;

/** What a lock file looked like when somebody looked. */
interface Sighting {
  /** Undefined for one that is empty or damaged: its writer died, or is about to write. */
  readonly holder: Holder | undefined;
  readonly modifiedMs: number;
}

/**
 * A lock between processes: a file that exists while it is held. The lock of a process that died is taken over at once on
 * the same machine, and after `staleMs` without a heartbeat otherwise. Who holds one must check `assertHeld` before doing
 * what cannot be undone: a process that was stopped for long may have lost it.
 */
export class ProcessLock {
  readonly #path: string;
  readonly #token: string;
  readonly #lost = new AbortController();
  readonly #heartbeat: NodeJS.Timeout;

  private constructor(path: string, token: string, timings: ProcessLockTimings) {
    this.#path = path;
    this.#token = token;
    this.#heartbeat = setInterval(() => void this.#beat(), timings.heartbeatMs);
    this.#heartbeat.unref();
  }

  /** Waits for the lock; `onWait` is called at every look at another's. @throws the disk's errors, the signal's reason */
  static async acquire(
    path: string,
    timings: ProcessLockTimings,
    options: { readonly signal?: AbortSignal; readonly onWait?: () => Promise<void> } = {},
  ): Promise<ProcessLock> {
    const signal = options.signal ?? new AbortController().signal;
    const watch = new StalenessWatch(timings.staleMs);
    for (;;) {
      signal.throwIfAborted();
      const token = randomUUID();
      if (await create(path, token)) return new ProcessLock(path, token, timings);
      const seen = await look(path);
      if (seen && watch.isStale(seen)) await clear(path, seen, timings.staleMs);
      else if (seen) {
        await options.onWait?.();
        await pause(timings.pollMs, signal);
      }
    }
  }

  /** Whether some process holds a lock at the moment. */
  static async isHeld(path: string, { staleMs }: Pick<ProcessLockTimings, 'staleMs'>): Promise<boolean> {
    const seen = await look(path);
    if (!seen) return false;
    return (seen.holder && isRunning(seen.holder)) ?? Date.now() - seen.modifiedMs < staleMs;
  }

  /** Aborted when it turns out that another process has taken the lock over. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** @throws LockLostError where another process has taken the lock over */
  async assertHeld(): Promise<void> {
    await this.#beat();
    this.#lost.signal.throwIfAborted();
  }

  async release(): Promise<void> {
    clearInterval(this.#heartbeat);
    const seen = await look(this.#path);
    if (seen?.holder?.token === this.#token) await rm(this.#path, { force: true });
  }

  async #beat(): Promise<void> {
    try {
      const seen = await look(this.#path);
      if (seen?.holder?.token !== this.#token) this.#lost.abort(new LockLostError(this.#path));
      else await utimes(this.#path, new Date(), new Date());
    } catch {
      // A disk that does not answer now says nothing about who holds the lock; the next beat looks again.
    }
  }
}

/** Another process took the lock over. Never leaves the catalogue. */
export class LockLostError extends Error {
  constructor(path: string) {
    super(`Another process has taken over ${path}`);
    this.name = 'LockLostError';
  }
}

/** Watches a lock over several looks, by our own clock: the clocks of a shared disk's machines may differ. */
class StalenessWatch {
  readonly #staleMs: number;
  #seen: Sighting | undefined;
  #unchangedSince = 0;

  constructor(staleMs: number) {
    this.#staleMs = staleMs;
  }

  isStale(seen: Sighting): boolean {
    const running = seen.holder && isRunning(seen.holder);
    if (running !== undefined) return !running;
    if (this.#seen?.modifiedMs !== seen.modifiedMs || this.#seen.holder?.token !== seen.holder?.token) {
      this.#seen = seen;
      this.#unchangedSince = performance.now();
    }
    return performance.now() - this.#unchangedSince >= this.#staleMs;
  }
}

async function create(path: string, token: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    try {
      await file.writeFile(JSON.stringify({ token, ...ownIdentity() } satisfies Holder));
    } catch (error) {
      await rm(path, { force: true }); // a full disk leaves an empty file, which would lock everybody out for a while
      throw error;
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

async function look(path: string): Promise<Sighting | undefined> {
  try {
    const { mtimeMs } = await stat(path);
    return { holder: parseHolder(await readFile(path, 'utf8')), modifiedMs: mtimeMs };
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

function parseHolder(text: string): Holder | undefined {
  try {
    return holderSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/**
 * Removes a stale lock. Two processes may come to it at once, and the slower must not remove what the faster has created
 * since: so the removal has a lock of its own, and looks again under it.
 */
async function clear(path: string, stale: Sighting, staleMs: number): Promise<void> {
  const guard = `${path}.takeover`;
  if (!(await create(guard, 'takeover'))) {
    const seen = await look(guard);
    const isDead = seen && (!seen.holder || isRunning(seen.holder) !== true) && Date.now() - seen.modifiedMs > staleMs;
    if (isDead) await rm(guard, { force: true });
    return;
  }
  try {
    const now = await look(path);
    const isSame = now?.modifiedMs === stale.modifiedMs && now.holder?.token === stale.holder?.token;
    if (isSame) await rm(path, { force: true });
  } finally {
    await rm(guard, { force: true });
  }
}
