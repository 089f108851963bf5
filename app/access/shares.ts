/** Streams, and as many sockets, that one caller may have open; with no keys all callers are one. */
export const MAX_STREAMS_PER_CALLER = 512;

/** How many of something each caller holds at once, such as streams; nobody gets more than a share. */
export class Shares {
  readonly #most: number;
  readonly #held = new Map<string, number>();

  /** @param most that one caller may hold */
  constructor(most: number) {
    this.#most = most;
  }

  /** Takes one if the caller's share is not used up. Calling what comes back gives it back, once. */
  take(caller: string): (() => void) | undefined {
    const held = this.#held.get(caller) ?? 0;
    if (held >= this.#most) return undefined;
    this.#held.set(caller, held + 1);
    let isHeld = true;
    return () => {
      if (isHeld) this.#giveBack(caller);
      isHeld = false;
    };
  }

  #giveBack(caller: string): void {
    const left = (this.#held.get(caller) ?? 1) - 1;
    if (left > 0) this.#held.set(caller, left);
    else this.#held.delete(caller);
  }
}
