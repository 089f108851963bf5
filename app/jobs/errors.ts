import { HiresFixError } from '../errors.ts';

/** As many jobs wait as `MAX_QUEUE` allows. */
export class QueueFullError extends HiresFixError {
  readonly code = 'ERR_QUEUE_FULL';
  /** When a place is likely to be free, in whole seconds from now. */
  readonly retryAfterSeconds: number;

  constructor(waiting: number, retryAfterSeconds: number) {
    super(`The queue is full: ${waiting} jobs wait. Try again in ${retryAfterSeconds} s`);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** The service is starting or shutting down. */
export class NotAcceptingError extends HiresFixError {
  readonly code = 'ERR_NOT_READY';

  constructor() {
    super('The service takes no jobs at the moment: it is starting or shutting down. Try again in a few seconds');
  }
}

/** No job has this id, or its time is over. */
export class JobNotFoundError extends HiresFixError {
  readonly code = 'ERR_JOB_NOT_FOUND';

  constructor(id: string) {
    super(`No job '${id.slice(0, 64)}'. It never was, or it ended some time ago and its files are gone`);
  }
}

/** A job that has ended cannot be cancelled. */
export class JobFinishedError extends HiresFixError {
  readonly code = 'ERR_JOB_FINISHED';

  constructor(id: string, status: string) {
    super(`Job ${id} is ${status} already: there is nothing to cancel`);
  }
}

/** The results of a job that has not completed were asked for. */
export class JobNotCompletedError extends HiresFixError {
  readonly code = 'ERR_JOB_NOT_COMPLETED';

  constructor(id: string, status: string) {
    super(`Job ${id} is ${status}: it has no results${status === 'queued' || status === 'processing' ? ' yet' : ''}`);
  }
}

/** A completed job has no result of this number. */
export class ResultNotFoundError extends HiresFixError {
  readonly code = 'ERR_RESULT_NOT_FOUND';

  constructor(id: string, number: string, count: number) {
    super(`Job ${id} has no result '${number.slice(0, 64)}': its results are numbered 0 to ${count - 1}`);
  }
}

/** An idempotency key names one request; this one came with other content. */
export class IdempotencyKeyReusedError extends HiresFixError {
  readonly code = 'ERR_IDEMPOTENCY_KEY_REUSED';

  constructor(jobId: string) {
    super(`This Idempotency-Key belongs to job ${jobId}, which has another image or other options. Use a new key`);
  }
}
