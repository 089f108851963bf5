/** What waits: named, and somebody's. */
export interface Waiting {
  readonly id: string;
  readonly caller: string;
}

/** The order in which jobs start: callers take turns, and each one's jobs go in the order in which they came. */
export class FairOrder {
  readonly #byCaller = new Map<string, Waiting[]>();
  /** Before all others: what ran already and has to run again. */
  #first: Waiting[] = [];
  #positions: Map<string, number> | undefined;

  get size(): number {
    return [...this.#byCaller.values()].reduce((sum, queue) => sum + queue.length, this.#first.length);
  }

  /** How many of one caller wait. */
  sizeOf(caller: string): number {
    const isTheirs = (one: Waiting): boolean => one.caller === caller;
    return (this.#byCaller.get(caller)?.length ?? 0) + this.#first.filter(isTheirs).length;
  }

  add(one: Waiting): void {
    const queue = this.#byCaller.get(one.caller);
    if (queue) queue.push(one);
    else this.#byCaller.set(one.caller, [one]);
    // The only caller's newest is the last of all; with others, where it stands takes counting.
    if (this.#byCaller.size === 1) this.#positions?.set(one.id, this.size);
    else this.#changed();
  }

  /** Adds one that goes before all that were added by `add`. */
  addFirst(one: Waiting): void {
    this.#first.push(one);
    this.#changed();
  }

  /** Takes out the id of the one whose turn it is. */
  next(): string | undefined {
    const first = this.#first.shift();
    const [turn] = this.#byCaller;
    if (!first && !turn) return undefined;
    this.#changed();
    if (first || !turn) return first?.id;
    const [caller, queue] = turn;
    const one = queue.shift();
    // A map keeps its order of insertion: whoever had a turn goes to the end of it.
    this.#byCaller.delete(caller);
    if (queue.length > 0) this.#byCaller.set(caller, queue);
    return one?.id;
  }

  /** Whether it was there. */
  remove({ id, caller }: Waiting): boolean {
    const before = this.size;
    const isOther = (one: Waiting): boolean => one.id !== id;
    this.#first = this.#first.filter(isOther);
    const queue = (this.#byCaller.get(caller) ?? []).filter(isOther);
    // Setting a key that is there leaves it in its place: nobody loses a turn.
    if (queue.length > 0) this.#byCaller.set(caller, queue);
    else this.#byCaller.delete(caller);
    this.#changed();
    return this.size < before;
  }

  /** Where each one stands, from 1, in the order in which they will start if none is added. */
  positions(): ReadonlyMap<string, number> {
    return (this.#positions ??= new Map(this.#inTurn().map(({ id }, index) => [id, index + 1])));
  }

  #inTurn(): readonly Waiting[] {
    const rounds: Waiting[][] = [];
    for (const queue of this.#byCaller.values()) {
      for (const [round, one] of queue.entries()) (rounds[round] ??= []).push(one);
    }
    return [...this.#first, ...rounds.flat()];
  }

  #changed(): void {
    this.#positions = undefined;
  }
}
