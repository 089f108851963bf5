const OF_TENSORS = new WeakMap<ReadonlyMap<string, unknown>, SortedNames>();

/** The names of a state dict in order, so that what lies below a path is looked up and not searched for. */
export class SortedNames {
  readonly #names: readonly string[];

  private constructor(names: Iterable<string>) {
    this.#names = [...names].sort();
  }

  /** Made once for each state dict. */
  static of(tensors: ReadonlyMap<string, unknown>): SortedNames {
    const known = OF_TENSORS.get(tensors) ?? new SortedNames(tensors.keys());
    OF_TENSORS.set(tensors, known);
    return known;
  }

  /** Whether any name begins with `path` and a dot. */
  hasBelow(path: string): boolean {
    const prefix = `${path}.`;
    return this.#names[this.#first(prefix)]?.startsWith(prefix) ?? false;
  }

  /** The numbers directly below `path` (`body.0`, `body.1.conv`, ...), ascending. */
  indicesBelow(path: string): number[] {
    const prefix = `${path}.`;
    const found = new Set<number>();
    let at = this.#first(prefix);
    for (let name = this.#names[at]; name?.startsWith(prefix); name = this.#names[at]) {
      const end = name.indexOf('.', prefix.length);
      const part = name.slice(prefix.length, end < 0 ? undefined : end);
      if (/^\d+$/.test(part)) found.add(Number(part));
      // '/' follows '.': the first name that is not below this part.
      at = end < 0 ? at + 1 : this.#first(`${prefix}${part}/`);
    }
    return [...found].sort((a, b) => a - b);
  }

  /** Where the first name lies that does not come before `text`. */
  #first(text: string): number {
    let low = 0;
    let high = this.#names.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#names[middle] ?? '') < text) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
