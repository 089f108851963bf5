import { CheckpointError } from './errors.ts';

/** Above what a header of 50,000 tensors has, and what a shape has. */
const MAX_KEYS = 100_000;
const MAX_ITEMS = 64;
const MAX_NUMBER_CHARACTERS = 32;

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
      if (keys.size > MAX_KEYS) throw new CheckpointError('too-large', `the header has more than ${MAX_KEYS} entries`);
      this.#expect(':');
      readValue(key);
    });
  }

  array<T>(readItem: () => T): T[] {
    const items: T[] = [];
    this.#list('[', ']', () => {
      items.push(readItem());
      if (items.length > MAX_ITEMS) throw new CheckpointError('too-large', `a list of more than ${MAX_ITEMS} numbers`);
    });
    return items;
  }

  string(): string {
    this.#expect('"');
    const start = this.#at;
    let end = this.#text.indexOf('"', start);
    while (end >= 0 && this.#isEscaped(end)) end = this.#text.indexOf('"', end + 1);
    if (end < 0)
      throw new CheckpointError('bad-header', `broken header: the string at character ${start} does not end`);
    this.#at = end + 1;
    try {
      return JSON.parse(this.#text.slice(start - 1, end + 1)) as string;
    } catch (cause) {
      throw new CheckpointError('bad-header', `broken header: the string at character ${start}`, { cause });
    }
  }

  number(): number {
    this.#skipSpace();
    const window = this.#text.slice(this.#at, this.#at + MAX_NUMBER_CHARACTERS);
    const literal = /^-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/.exec(window)?.[0];
    if (literal === undefined) throw this.#unexpected('a number');
    this.#at += literal.length;
    return Number(literal);
  }

  /** Only white space may follow. */
  end(): void {
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#unexpected('the end');
  }

  /** Whether an odd number of backslashes stands before `at`. */
  #isEscaped(at: number): boolean {
    let from = at;
    while (this.#text[from - 1] === '\\') from -= 1;
    return (at - from) % 2 === 1;
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
