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
