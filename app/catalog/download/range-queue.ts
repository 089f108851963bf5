import type { ByteRange } from './byte-ranges.ts';

/** How a download is cut; in bytes. */
export interface SegmentSizes {
  readonly connections: number;
  readonly smallest: number;
  readonly largest: number;
}

/**
 * Hands out what is still to be fetched, from the front. Pieces get smaller towards the end (a half of an equal share of
 * the rest, within the bounds), so that all connections finish at about the same time.
 */
export class RangeQueue {
  readonly #waiting: ByteRange[];
  readonly #sizes: SegmentSizes;

  constructor(missing: Iterable<ByteRange>, sizes: SegmentSizes) {
    this.#waiting = [...missing];
    this.#sizes = sizes;
  }

  take(): ByteRange | undefined {
    const first = this.#waiting.shift();
    if (!first) return undefined;
    const [start, end] = first;
    const piece = this.#pieceSize(this.#remaining() + end - start);
    // What would be left is not worth a request of its own.
    if (end - start < piece + this.#sizes.smallest) return first;
    this.#waiting.unshift([start + piece, end]);
    return [start, start + piece];
  }

  /** Takes back what a connection could not fetch. */
  giveBack(range: ByteRange): void {
    if (range[0] < range[1]) this.#waiting.unshift(range);
  }

  #remaining(): number {
    return this.#waiting.reduce((sum, [start, end]) => sum + end - start, 0);
  }

  #pieceSize(remaining: number): number {
    const { connections, smallest, largest } = this.#sizes;
    return Math.min(largest, Math.max(smallest, Math.ceil(remaining / (2 * connections))));
  }
}
