/** What came of asking for a token. */
export interface Taken {
  readonly isAllowed: boolean;
  /** Whole tokens that are left. */
  readonly remaining: number;
  /** Until there is a token again, in whole seconds; 0 where there is one. */
  readonly retryAfterSeconds: number;
  /** Until the bucket is full again, in whole seconds. */
  readonly resetSeconds: number;
}

/** Who may ask how often. */
export interface RequestLimits {
  /** Takes a token of the caller's if there is one. */
  take(caller: string): Taken | Promise<Taken>;
}

const MINUTE_MS = 60_000;

interface Bucket {
  readonly tokens: number;
  readonly at: number;
}

/** A bucket for each caller: full at first, a token a request, filled up at an even rate. */
export class TokenBuckets implements RequestLimits {
  readonly #perMinute: number;
  /** By caller; there are as many as keys. */
  readonly #buckets = new Map<string, Bucket>();

  /** @param perMinute what flows in each minute, and what a bucket holds */
  constructor(perMinute: number) {
    this.#perMinute = perMinute;
  }

  /** Takes a token if there is one. `now` in ms, never going back. */
  take(caller: string, now = performance.now()): Taken {
    const { tokens, at } = this.#buckets.get(caller) ?? { tokens: this.#perMinute, at: now };
    const filled = Math.min(this.#perMinute, tokens + ((now - at) * this.#perMinute) / MINUTE_MS);
    const isAllowed = filled >= 1;
    const left = isAllowed ? filled - 1 : filled;
    this.#buckets.set(caller, { tokens: left, at: now });
    return {
      isAllowed,
      remaining: Math.floor(left),
      retryAfterSeconds: this.#secondsFor(1 - left),
      resetSeconds: this.#secondsFor(this.#perMinute - left),
    };
  }

  #secondsFor(tokens: number): number {
    return Math.max(0, Math.ceil((tokens * MINUTE_MS) / this.#perMinute / 1000));
  }
}
