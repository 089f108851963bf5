import { createHash, timingSafeEqual } from 'node:crypto';
import { ANYONE } from '../jobs/job.ts';

/**
 * The keys of a service, known by their SHA-256 alone. A key is compared with all of them in the same time, whichever it equals
 * and however long it is.
 */
export class ApiKeys {
  readonly #digests: readonly Buffer[];

  /** @param digests in hex, as `loadConfig` makes them; with none, everyone may come in */
  constructor(digests: readonly string[]) {
    this.#digests = digests.map((digest) => Buffer.from(digest, 'hex'));
  }

  /** Whose key this is: a name that does not tell the key. Undefined for who may not come in. */
  callerOf(key: string | undefined): string | undefined {
    if (this.#digests.length === 0) return ANYONE;
    const given = sha256(key ?? '');
    let isKnown = false;
    for (const digest of this.#digests) if (timingSafeEqual(given, digest)) isKnown = true; // and no early exit
    return isKnown && key !== undefined ? `key-${sha256(given).toString('hex', 0, 8)}` : undefined;
  }
}

function sha256(data: string | Buffer): Buffer {
  return createHash('sha256').update(data).digest();
}
