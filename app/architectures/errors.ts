import { HiresFixError, oneLine } from '../errors.ts';

/** The checkpoint is sound, but no network that we know has keys like its. */
export class UnknownNetworkError extends HiresFixError {
  readonly code = 'ERR_UNKNOWN_NETWORK';
  readonly fault = 'model';

  constructor(message: string, options?: ErrorOptions) {
    super(oneLine(message), options);
  }
}

/** The network does not take an image of this size. */
export class NetworkInputError extends HiresFixError {
  readonly code = 'ERR_NETWORK_INPUT';
  readonly fault = 'image';
}
