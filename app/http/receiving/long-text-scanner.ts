const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Where the long strings of a JSON text go. */
export interface LongTextSink {
  /** A string has turned out long. */
  begin(): void;
  /** The next piece of it, escapes resolved; what is beyond ASCII comes as the bytes of its UTF-8, one character each. */
  add(text: string): void;
  /** It is complete; the answer stands for it in what is left of the JSON. */
  end(): string;
}

/**
 * Takes the long strings out of a JSON text as it comes, and keeps the rest: images travel as strings of megabytes, which
 * neither memory nor `JSON.parse` should meet. The JSON need not be valid; whoever parses what is left will see.
 */
export class LongTextScanner {
  readonly #sink: LongTextSink;
  readonly #longest: number;
  /** What is left of the JSON, its bytes as characters. */
  #rest = '';
  /** The raw content of the string at hand, until it is long. */
  #short = '';
  /** After a backslash: what has come of its escape. */
  #escape: string | undefined;
  #isInString = false;
  #isLong = false;

  /** Strings of more than `longest` bytes go to the sink. */
  constructor(sink: LongTextSink, longest: number) {
    this.#sink = sink;
    this.#longest = longest;
  }

  /** Bytes that are left of the JSON so far. */
  get restLength(): number {
    return this.#rest.length + this.#short.length;
  }

  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#escape !== undefined) at = this.#readEscape(chunk, at);
      else if (this.#isInString) at = this.#readString(chunk, at);
      else at = this.#readRest(chunk, at);
    }
  }

  /** The JSON without its long strings. One that did not end is left open. */
  finish(): string {
    return Buffer.from(this.#rest + this.#short, 'latin1').toString('utf8');
  }

  #readRest(chunk: Buffer, at: number): number {
    const quote = chunk.indexOf(QUOTE, at);
    const end = quote === -1 ? chunk.length : quote + 1;
    this.#rest += chunk.toString('latin1', at, end);
    this.#isInString = quote !== -1;
    return end;
  }

  #readString(chunk: Buffer, at: number): number {
    const quote = chunk.indexOf(QUOTE, at);
    const content = chunk.subarray(at, quote === -1 ? chunk.length : quote);
    const backslash = content.indexOf(BACKSLASH);
    if (backslash !== -1) {
      this.#add(content.toString('latin1', 0, backslash));
      this.#escape = '';
      return at + backslash + 1;
    }
    this.#add(content.toString('latin1'));
    if (quote === -1) return chunk.length;
    this.#endString();
    return quote + 1;
  }

  #readEscape(chunk: Buffer, at: number): number {
    const escape = (this.#escape ?? '') + chunk.toString('latin1', at, at + 1);
    const isComplete = !escape.startsWith('u') || escape.length === 5;
    this.#escape = isComplete ? undefined : escape;
    if (isComplete) this.#add(this.#isLong ? unescaped(`\\${escape}`) : `\\${escape}`);
    return at + 1;
  }

  #add(text: string): void {
    if (this.#isLong) {
      this.#sink.add(text);
      return;
    }
    this.#short += text;
    if (this.#short.length <= this.#longest) return;
    this.#isLong = true;
    this.#sink.begin();
    this.#sink.add(unescaped(this.#short));
    this.#short = '';
  }

  #endString(): void {
    this.#rest += `${this.#isLong ? this.#sink.end() : this.#short}"`;
    this.#short = '';
    this.#isInString = this.#isLong = false;
  }
}

/** What is no JSON string content stays as it is, and will not be base64 either. */
function unescaped(content: string): string {
  if (!content.includes('\\')) return content;
  try {
    return JSON.parse(`"${content}"`) as string;
  } catch {
    return content;
  }
}
