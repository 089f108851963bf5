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
const MAX_BUCKETS = 10_000;

interface Bucket {
  readonly tokens: number;
  readonly at: number;
}

/** A bucket for each caller: full at first, a token a request, filled up at an even rate. */
export class TokenBuckets implements RequestLimits {
  readonly #perMinute: number;
  /** By caller, in the order in which they last took one. */
  readonly #buckets = new Map<string, Bucket>();

  /** @param perMinute what flows in each minute, and what a bucket holds */
  constructor(perMinute: number) {
    this.#perMinute = perMinute;
  }

  /** Takes a token if there is one. `now` in ms, never going back. */
  take(caller: string, now = performance.now()): Taken {
    const tokens = this.#tokens(caller, now);
    const isAllowed = tokens >= 1;
    const left = isAllowed ? tokens - 1 : tokens;
    this.#keep(caller, { tokens: left, at: now });
    return this.#told(isAllowed, left);
  }

  /** What `take` would say, and takes none. */
  look(caller: string, now = performance.now()): Taken {
    const tokens = this.#tokens(caller, now);
    return this.#told(tokens >= 1, tokens);
  }

  #tokens(caller: string, now: number): number {
    const { tokens, at } = this.#buckets.get(caller) ?? { tokens: this.#perMinute, at: now };
    return Math.min(this.#perMinute, tokens + ((now - at) * this.#perMinute) / MINUTE_MS);
  }

  /** Of too many it forgets the one that was not used for longest, which is the first to be full again. */
  #keep(caller: string, bucket: Bucket): void {
    this.#buckets.delete(caller);
    this.#buckets.set(caller, bucket);
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > MAX_BUCKETS && oldest !== undefined) this.#buckets.delete(oldest);
  }

  #told(isAllowed: boolean, left: number): Taken {
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
