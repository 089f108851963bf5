import { HiresFixError } from '../errors.ts';

/** A stranger's URL leads to this machine or into a private network. */
export class PrivateAddressError extends HiresFixError {
  readonly code = 'ERR_PRIVATE_ADDRESS';
  readonly fault = 'task';

  constructor(host: string) {
    super(
      `${host.slice(0, 255)} is not on the internet: addresses of this machine and of private networks are refused`,
    );
  }
}

/** What a stranger's URL leads to cannot be had. The message is the second half of "name: ...". */
export class UnfetchableError extends Error {
  override readonly name = 'UnfetchableError';
}
