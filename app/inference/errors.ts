import { HiresFixError } from '../errors.ts';

/** A device cannot run networks here: its provider or driver is missing. */
export class DeviceUnavailableError extends HiresFixError {
  readonly code = 'ERR_DEVICE_UNAVAILABLE';
  readonly fault = 'task';
}

/** The network failed while it ran; `isOutOfMemory` where less at once may do. */
export class InferenceError extends HiresFixError {
  readonly code = 'ERR_INFERENCE';
  readonly fault = 'machine';
  readonly isOutOfMemory: boolean;

  constructor(message: string, options: ErrorOptions & { isOutOfMemory: boolean }) {
    super(message, options);
    this.isOutOfMemory = options.isOutOfMemory;
  }
}
