import { HiresFixError } from '../errors.ts';

/** Two images cannot be held against each other: their sizes differ, or nothing is left of them. */
export class NotComparableError extends HiresFixError {
  readonly code = 'ERR_NOT_COMPARABLE';
  readonly fault = 'image';
}
