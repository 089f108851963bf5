import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { BodyTooLargeError } from '../errors.ts';

/** What `data:image/png;base64,` and its like may take. */
const MAX_PREFIX = 256;
const PREFIX = /^\s*data:[\w.+/-]*(;[\w=.+-]+)*;base64,/i;

/** What a text turned out to be. */
export interface DecodedFile {
  readonly file: string;
  /** Whether the whole text was base64, bare or as a data URL. If it was not, the file's content means nothing. */
  readonly isImage: boolean;
  readonly sha256: string;
}

/** Decodes base64 into a file as it comes, so that an image in JSON never lies in memory as a whole. */
export class Base64File {
  readonly #file: string;
  readonly #maxBytes: number;
  readonly #hash = createHash('sha256');
  #handle: FileHandle | undefined;
  #text = '';
  #hasPrefix = true;
  #isValid = true;
  #hasEnded = false;
  #bytes = 0;

  /** More than `maxBytes` decoded bytes throw `BodyTooLargeError`. */
  constructor(file: string, maxBytes: number) {
    this.#file = file;
    this.#maxBytes = maxBytes;
  }

  /** Takes the next piece of the text; nothing is written before `flush`. */
  add(text: string): void {
    this.#text += text;
  }

  /** Decodes and writes what has come so far, but for what only the next piece can complete. */
  async flush(): Promise<void> {
    if (this.#hasPrefix && this.#text.length >= MAX_PREFIX) this.#takePrefixOff();
    if (!this.#hasPrefix) await this.#decode(false);
  }

  async finish(): Promise<DecodedFile> {
    this.#takePrefixOff();
    await this.#decode(true);
    await this.close();
    const isImage = this.#isValid && this.#bytes > 0;
    return { file: this.#file, isImage, sha256: this.#hash.digest('hex') };
  }

  async close(): Promise<void> {
    await this.#handle?.close();
    this.#handle = undefined;
  }

  #takePrefixOff(): void {
    if (this.#hasPrefix) this.#text = this.#text.replace(PREFIX, '');
    this.#hasPrefix = false;
  }

  async #decode(isLast: boolean): Promise<void> {
    const text = this.#text.replace(/\s+/g, '');
    const taken = isLast ? text.length : text.length - (text.length % 4);
    this.#text = text.slice(taken);
    if (taken === 0 || !this.#isValid) return;
    const bytes = Buffer.from(text.slice(0, taken), 'base64');
    // Node skips what is not base64: then fewer bytes come out than the digits stand for. Nothing may follow padding.
    const padding = /={0,2}$/.exec(text.slice(0, taken))?.[0].length ?? 0;
    const digits = taken - padding;
    this.#isValid = !this.#hasEnded && digits % 4 !== 1 && bytes.length === Math.floor((digits * 3) / 4);
    this.#hasEnded = padding > 0;
    this.#bytes += bytes.length;
    if (this.#bytes > this.#maxBytes) throw new BodyTooLargeError('An image', this.#maxBytes);
    this.#hash.update(bytes);
    this.#handle ??= await open(this.#file, 'wx');
    await this.#handle.writeFile(bytes);
  }
}
