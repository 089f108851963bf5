import { HiresFixError } from '../errors.ts';

/** The service has keys, and the caller did not show one of them. */
export class UnauthorizedError extends HiresFixError {
  readonly code = 'ERR_UNAUTHORIZED';
  readonly fault = 'service';

  /** @param wasGiven whether there was a key, if a wrong one */
  constructor(wasGiven: boolean) {
    super(
      wasGiven
        ? 'This API key is not valid for this service'
        : 'Expected an API key: the header X-API-KEY, or Authorization: Bearer; on a socket, auth: {api_key}',
    );
  }
}

/** More requests a minute than `RATE_LIMIT_PER_MINUTE`. */
export class RateLimitedError extends HiresFixError {
  readonly code = 'ERR_RATE_LIMITED';
  readonly fault = 'service';

  constructor(perMinute: number, retryAfterSeconds: number) {
    super(`More than ${perMinute} requests a minute came with this key. Try again in ${retryAfterSeconds} s`);
  }
}

/** More wrong keys came from one address than a minute allows, and what comes from there is not looked at for now. */
export class TooManyWrongKeysError extends HiresFixError {
  readonly code = 'ERR_TOO_MANY_WRONG_KEYS';
  readonly fault = 'service';
  readonly retryAfterSeconds: number;

  constructor(retryAfterSeconds: number) {
    super(`Too many wrong API keys came from this address. Try again in ${retryAfterSeconds} s`);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** The caller follows as many jobs at once, by streams or sockets, as one caller may. */
export class TooManyStreamsError extends HiresFixError {
  readonly code = 'ERR_TOO_MANY_STREAMS';
  readonly fault = 'service';

  constructor(most: number) {
    super(
      `More than ${most} streams or sockets would be open for this caller. Close some, or follow several jobs on one socket`,
    );
  }
}
