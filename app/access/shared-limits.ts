import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { RequestLimits, Taken } from './token-buckets.ts';
import { TokenBuckets } from './token-buckets.ts';

const MINUTE_SECONDS = 60;

/**
 * Requests a minute for each caller, counted in Redis for all servers that share it: a minute begins with a caller's first
 * request, and all of its requests may come at once. While Redis is away each server counts for itself.
 */
export class SharedLimits implements RequestLimits {
  readonly #limiter: RateLimiterRedis;
  readonly #own: TokenBuckets;

  /**
   * @param perMinute what each caller may ask for in a minute
   * @param redis a connection that fails at once while Redis is away
   * @param prefix what the keys in Redis begin with
   */
  constructor(perMinute: number, { redis, prefix }: { readonly redis: unknown; readonly prefix: string }) {
    this.#own = new TokenBuckets(perMinute);
    this.#limiter = new RateLimiterRedis({
      storeClient: redis,
      keyPrefix: `${prefix}requests`,
      points: perMinute,
      duration: MINUTE_SECONDS,
    });
  }

  async take(caller: string): Promise<Taken> {
    try {
      return takenOf(await this.#limiter.consume(caller), true);
    } catch (error) {
      return error instanceof RateLimiterRes ? takenOf(error, false) : this.#own.take(caller);
    }
  }
}

function takenOf({ remainingPoints, msBeforeNext }: RateLimiterRes, isAllowed: boolean): Taken {
  const resetSeconds = Math.max(0, Math.ceil(msBeforeNext / 1000));
  const retryAfterSeconds = remainingPoints > 0 ? 0 : resetSeconds;
  return { isAllowed, remaining: Math.max(0, remainingPoints), retryAfterSeconds, resetSeconds };
}
