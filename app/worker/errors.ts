import type { Fault } from '../errors.ts';
import { HiresFixError } from '../errors.ts';
import type { Failure } from './protocol.ts';

/** What a worker reported of a task, with the code and the stack that the error had there. */
export class TaskFailedError extends HiresFixError {
  readonly code: string;
  readonly fault: Fault;

  constructor(failure: Failure) {
    super(failure.message);
    this.code = failure.code;
    this.fault = failure.fault;
    if (failure.stack !== undefined) this.stack = failure.stack;
  }
}

/** The worker process died, and what was tried in its place did no better. */
export class WorkerCrashedError extends HiresFixError {
  readonly code = 'ERR_WORKER_CRASHED';
  readonly fault = 'machine';
}

/** The task ran longer than it may. */
export class TaskTimeoutError extends HiresFixError {
  readonly code = 'ERR_JOB_TIMEOUT';
  readonly fault = 'machine';
}

/** The task was called off by its caller. */
export class CancelledError extends HiresFixError {
  readonly code = 'ERR_CANCELLED';
  readonly fault = 'service';
}

/** What went wrong in a worker that nobody foresaw: for the log, not for callers. Its stack is the worker's. */
export class UnforeseenError extends Error {
  constructor({ message, stack }: Failure) {
    super(message);
    this.name = 'UnforeseenError';
    if (stack !== undefined) this.stack = stack;
  }
}
