import { isIPv6 } from 'node:net';
import { groupsOf } from '../outbound/ipv6-groups.ts';
import { ANYONE } from '../jobs/job.ts';
import type { ApiKeys } from './api-keys.ts';
import { TooManyWrongKeysError, UnauthorizedError } from './errors.ts';
import { TokenBuckets } from './token-buckets.ts';

/** From one address. */
export const MAX_WRONG_KEYS_PER_MINUTE = 30;
/** So many addresses with their keys are remembered, those that came last. */
const MAX_KNOWN = 10_000;

/**
 * Asks callers for a key of the service, and keeps them from trying one after another. An address that has tried as many wrong
 * ones as a minute allows is told to wait, and what it shows meanwhile is not said to be right or wrong; but for the keys that it
 * has shown before, so whoever shares the address with others, as behind a proxy, is not shut out by them.
 */
export class KeyCheck {
  readonly #keys: ApiKeys;
  readonly #wrong = new TokenBuckets(MAX_WRONG_KEYS_PER_MINUTE);
  /** Networks with callers that came from there, the latest last. */
  readonly #known = new Set<string>();

  constructor(keys: ApiKeys) {
    this.#keys = keys;
  }

  /**
   * Whose key this is (`ApiKeys.callerOf`).
   * @param address where it comes from, as its socket has it
   * @param now in ms, never going back
   * @throws UnauthorizedError without a key or with a wrong one; TooManyWrongKeysError after too many of those
   */
  callerOf(key: string | undefined, address = '', now = performance.now()): string {
    const caller = this.#keys.callerOf(key);
    if (caller === ANYONE) return caller;
    if (key === undefined) throw new UnauthorizedError(false);
    const network = networkOf(address);
    if (caller !== undefined && this.#isKnown(`${network} ${caller}`)) return caller;
    const tries = caller === undefined ? this.#wrong.take(network, now) : this.#wrong.look(network, now);
    if (!tries.isAllowed) throw new TooManyWrongKeysError(tries.retryAfterSeconds);
    if (caller === undefined) throw new UnauthorizedError(true);
    this.#remember(`${network} ${caller}`);
    return caller;
  }

  #isKnown(pair: string): boolean {
    if (!this.#known.has(pair)) return false;
    this.#remember(pair);
    return true;
  }

  #remember(pair: string): void {
    this.#known.delete(pair);
    this.#known.add(pair);
    const [oldest] = this.#known;
    if (this.#known.size > MAX_KNOWN && oldest !== undefined) this.#known.delete(oldest);
  }
}

/** An address; of IPv6, where one caller has as many as there are, the network of 64 bits. */
function networkOf(address: string): string {
  const [bare = ''] = address.split('%');
  return isIPv6(bare) && !bare.includes('.') ? groupsOf(bare).slice(0, 4).join(':') : bare;
}
