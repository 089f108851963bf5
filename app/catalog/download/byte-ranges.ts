/** A half-open range of file offsets: `start` is in it, `end` is not. */
export type ByteRange = readonly [start: number, end: number];

/** A set of file offsets as sorted ranges that neither overlap nor touch. */
export class ByteRanges {
  #ranges: ByteRange[] = [];

  constructor(ranges: Iterable<ByteRange> = []) {
    for (const [start, end] of ranges) this.add(start, end);
  }

  /** How many offsets are in the set. */
  get size(): number {
    return this.#ranges.reduce((sum, [start, end]) => sum + end - start, 0);
  }

  /** One past the largest offset in the set; 0 where it is empty. */
  get end(): number {
    return this.#ranges.at(-1)?.[1] ?? 0;
  }

  add(start: number, end: number): void {
    if (start >= end) return;
    const before = this.#ranges.filter((range) => range[1] < start);
    const after = this.#ranges.filter((range) => range[0] > end);
    const touching = this.#ranges.slice(before.length, this.#ranges.length - after.length);
    const merged: ByteRange = [Math.min(start, touching[0]?.[0] ?? start), Math.max(end, touching.at(-1)?.[1] ?? end)];
    this.#ranges = [...before, merged, ...after];
  }

  /** What of 0..total is not in the set, in order. */
  missing(total: number): ByteRange[] {
    const starts = [0, ...this.#ranges.map((range) => range[1])];
    const ends = [...this.#ranges.map((range) => range[0]), total];
    return starts.flatMap((start, index): ByteRange[] => {
      const end = Math.min(ends[index] ?? total, total);
      return start < end ? [[start, end]] : [];
    });
  }

  toJSON(): readonly ByteRange[] {
    return this.#ranges;
  }
}
