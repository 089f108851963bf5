/** What is kept on a shelf: something that holds memory until it is released. */
export interface Releasable {
  release(): Promise<void>;
}

/** How much a shelf may hold. One session is always held, however large. */
export interface ShelfLimits {
  readonly bytes: number;
  readonly count: number;
}

interface Kept<T> {
  readonly session: T;
  readonly bytes: number;
}

/**
 * Loaded sessions by what they were loaded for, so that tiles of a few sizes that come in turn do not load one again and again.
 * Those used longest ago are released first, and before the next one is loaded.
 */
export class SessionShelf<T extends Releasable> {
  readonly #limits: ShelfLimits;
  /** In the order of their use, the latest last. */
  readonly #kept = new Map<string, Kept<T>>();

  constructor(limits: ShelfLimits) {
    this.#limits = limits;
  }

  /**
   * The session under `key`, which is opened where there is none.
   * @param bytes what it takes while it runs, in bytes: a rough figure
   */
  async hold(key: string, bytes: number, open: () => Promise<T>): Promise<T> {
    const known = this.#kept.get(key);
    this.#kept.delete(key);
    if (!known) await this.#makeRoom(bytes);
    const kept = known ?? { session: await open(), bytes };
    this.#kept.set(key, kept);
    return kept.session;
  }

  /** Releases all. */
  async clear(): Promise<void> {
    await this.#makeRoom(Infinity);
  }

  async #makeRoom(bytes: number): Promise<void> {
    let held = [...this.#kept.values()].reduce((sum, kept) => sum + kept.bytes, 0);
    for (const [key, { session, bytes: freed }] of this.#kept) {
      if (held + bytes <= this.#limits.bytes && this.#kept.size < this.#limits.count) return;
      this.#kept.delete(key);
      held -= freed;
      await session.release();
    }
  }
}
