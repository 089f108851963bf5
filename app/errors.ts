/**
 * The base of every error that a caller may see. Each module throws its own subclasses; `code` is public and stable
 * (docs/errors.md lists them), the message says what was expected, what came, and what to do.
 */
export abstract class HiresFixError extends Error {
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}
