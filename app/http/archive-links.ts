import { randomBytes } from 'node:crypto';

/** A job whose results are wanted, and the folder of the archive that they go into. */
export interface WantedJob {
  readonly id: string;
  readonly folder: string;
}

/** What a link leads to, and whose it is. */
export interface LinkedArchive {
  readonly caller: string;
  readonly jobs: readonly WantedJob[];
}

/** For as long as a download takes to begin, and to be tried again. */
export const LINK_SECONDS = 300;
/** The oldest give way. */
const MAX_LINKS = 256;

/**
 * Links to archives, for browsers: what they save they ask for without a key. Who knows one of them, 128 random bits, is let in. Kept in
 * memory, and forgotten after five minutes.
 */
export class ArchiveLinks {
  readonly #links = new Map<string, LinkedArchive & { readonly until: number }>();

  /** @returns the link's token */
  add(archive: LinkedArchive): string {
    const token = randomBytes(16).toString('hex');
    this.#links.set(token, { ...archive, until: performance.now() + LINK_SECONDS * 1000 });
    for (const oldest of this.#links.keys()) if (this.#links.size > MAX_LINKS) this.#links.delete(oldest);
    return token;
  }

  /** Undefined where there never was such a link, or its time is over. */
  find(token: string): LinkedArchive | undefined {
    const found = this.#links.get(token);
    return found && found.until >= performance.now() ? found : undefined;
  }
}
