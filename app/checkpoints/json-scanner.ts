import { CheckpointError } from './errors.ts';

/**
 * Reads JSON of a known schema, so that its depth is the schema's and nothing is built that was not asked for.
 * `JSON.parse` would keep the last of two equal keys in silence, and nest as deep as the text does.
 */
export class JsonScanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** An object; `readValue` has to read the value of each key. Keys may not repeat. */
  object(readValue: (key: string) => void): void {
    const keys = new Set<string>();
    this.#list('{', '}', () => {
      const key = this.string();
      if (keys.has(key)) throw new CheckpointError('duplicate-entry', `the header names ${JSON.stringify(key)} twice`);
      keys.add(key);
      this.#expect(':');
      readValue(key);
    });
  }

  array<T>(readItem: () => T): T[] {
    const items: T[] = [];
    this.#list('[', ']', () => items.push(readItem()));
    return items;
  }

  string(): string {
    const literal = this.#match(/"(?:[^"\\]|\\.)*"/y, 'a string');
    try {
      return JSON.parse(literal) as string;
    } catch (cause) {
      throw new CheckpointError('bad-header', `broken header: a string at character ${this.#at}`, { cause });
    }
  }

  number(): number {
    return Number(this.#match(/-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/y, 'a number'));
  }

  /** Only white space may follow. */
  end(): void {
    this.#match(/\s*$/y, 'the end');
  }

  #list(open: string, close: string, readItem: () => void): void {
    this.#expect(open);
    if (this.#skip(close)) return;
    do readItem();
    while (this.#skip(','));
    this.#expect(close);
  }

  #expect(character: string): void {
    if (!this.#skip(character)) throw this.#unexpected(`'${character}'`);
  }

  #skip(character: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #match(pattern: RegExp, what: string): string {
    this.#skipSpace();
    pattern.lastIndex = this.#at;
    const literal = pattern.exec(this.#text)?.[0];
    if (literal === undefined) throw this.#unexpected(what);
    this.#at += literal.length;
    return literal;
  }

  #skipSpace(): void {
    while (' \t\r\n'.includes(this.#text[this.#at] ?? '!')) this.#at += 1;
  }

  #unexpected(expected: string): CheckpointError {
    const got = JSON.stringify(this.#text.slice(this.#at, this.#at + 20));
    return new CheckpointError(
      'bad-header',
      `broken header: expected ${expected} at character ${this.#at}, got ${got}`,
    );
  }
}
