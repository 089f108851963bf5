/**
 * Whose fault an error is, and so what may go on after it:
 * - `image`: this image's, or that of the place of its result; the next image may do better.
 * - `task`: what was asked is wrong, whatever the image.
 * - `model`: the model is unknown, cannot be had or is broken; another model may do better.
 * - `machine`: the device or process that did the work failed; another device, or smaller tiles, may do better.
 * - `service`: what stands around the work, such as the queue, the store or the network, or it was called off.
 */
export type Fault = 'image' | 'task' | 'model' | 'machine' | 'service';

/** What callers are told of an error that nobody foresaw; the log has the rest. */
export const INTERNAL_ERROR = { code: 'ERR_INTERNAL', message: 'Internal processing error' } as const;

const MAX_LINE = 400;
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;

/**
 * The base of every error that a caller may see. Each module throws its own subclasses; `code` is public and stable
 * (docs/errors.md lists them), the message says what was expected, what came, and what to do.
 */
export abstract class HiresFixError extends Error {
  abstract readonly code: string;
  abstract readonly fault: Fault;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** A message as one line of at most 400 printable characters, whatever of a file or a request went into it. */
export function oneLine(message: string): string {
  const line = printable(message.slice(0, MAX_LINE + 1));
  return line.length > MAX_LINE ? `${line.slice(0, MAX_LINE - 1)}…` : line;
}

/** Text in which controls, line ends and marks that turn its direction are spelt out: what a terminal or a page would obey. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (found) => `\\u{${(found.codePointAt(0) ?? 0).toString(16)}}`);
}
