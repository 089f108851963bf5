import { HiresFixError } from '../errors.ts';

/** As many jobs wait as `MAX_QUEUE` allows. */
export class QueueFullError extends HiresFixError {
  readonly code = 'ERR_QUEUE_FULL';
  readonly fault = 'service';
  /** When a place is likely to be free, in whole seconds from now. */
  readonly retryAfterSeconds: number;

  constructor(waiting: number, retryAfterSeconds: number) {
    super(`The queue is full: ${waiting} jobs are waiting. Try again in ${retryAfterSeconds} s`);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** As many jobs of one caller wait as `MAX_QUEUE_PER_CALLER` allows. */
export class CallerQueueFullError extends HiresFixError {
  readonly code = 'ERR_CALLER_QUEUE_FULL';
  readonly fault = 'service';
  /** When one of them is likely to have started, in whole seconds from now. */
  readonly retryAfterSeconds: number;

  constructor(waiting: number, retryAfterSeconds: number) {
    super(`Your share of the queue is full: ${waiting} of your jobs are waiting. Try again in ${retryAfterSeconds} s`);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** Jobs cannot be read or written where they are kept. Nothing that was accepted is lost by it. */
export class StoreUnavailableError extends HiresFixError {
  readonly code = 'ERR_STORE_UNAVAILABLE';
  readonly fault = 'service';
  /** Whether what was to be stored may have been, all the same: the answer never came. */
  readonly isUncertain: boolean;

  constructor(cause: unknown, { reason = 'the disk is full, or fails', isUncertain = false } = {}) {
    super(`Jobs cannot be stored at the moment: ${reason}. Try again later`, { cause });
    this.isUncertain = isUncertain;
  }
}

/** The journal is not of a kind that this version reads. */
export class BadJournalError extends HiresFixError {
  readonly code = 'ERR_BAD_JOURNAL';
  readonly fault = 'service';

  constructor(file: string, header: string) {
    super(`${file} was written by another version (${header.slice(0, 100)}); start that one, or move the file away`);
  }
}

/** Another server works with the same folders. */
export class StateInUseError extends HiresFixError {
  readonly code = 'ERR_STATE_IN_USE';
  readonly fault = 'service';

  constructor(folder: string) {
    super(
      `Another server uses ${folder}. Stop it, or set PROCESSED_FOLDER and UPLOAD_FOLDER to folders of this one's own`,
    );
  }
}

/** A folder that the service needs cannot be made or written to; `variable` names it. */
export class FolderUnusableError extends HiresFixError {
  readonly code = 'ERR_FOLDER_UNUSABLE';
  readonly fault = 'service';

  constructor(variable: string, folder: string, cause: unknown) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    super(
      `${variable}: no files can be made in ${folder} (${detail}). Let the user that the service runs as write there, or set ${variable} to another folder`,
      { cause },
    );
  }
}

/** The server stopped again and again while one job ran. */
export class JobInterruptedError extends HiresFixError {
  readonly code = 'ERR_JOB_INTERRUPTED';
  readonly fault = 'service';

  constructor(restarts: number) {
    super(`The service stopped ${restarts} times while this job ran; it is not tried again`);
  }
}

/** The service is starting or shutting down. */
export class NotAcceptingError extends HiresFixError {
  readonly code = 'ERR_NOT_READY';
  readonly fault = 'service';

  constructor() {
    super('The service takes no jobs at the moment: it is starting or shutting down. Try again in a few seconds');
  }
}

/** No job has this id, or its time is over. */
export class JobNotFoundError extends HiresFixError {
  readonly code = 'ERR_JOB_NOT_FOUND';
  readonly fault = 'task';

  constructor(id: string) {
    super(`There is no job '${id.slice(0, 64)}': it never existed, or it ended some time ago and was removed`);
  }
}

/** A job that has ended cannot be cancelled. */
export class JobFinishedError extends HiresFixError {
  readonly code = 'ERR_JOB_FINISHED';
  readonly fault = 'task';

  constructor(id: string, status: string) {
    super(`Job ${id} is ${status} already: there is nothing to cancel`);
  }
}

/** A job that has not ended cannot be removed. */
export class JobNotEndedError extends HiresFixError {
  readonly code = 'ERR_JOB_NOT_ENDED';
  readonly fault = 'task';

  constructor(id: string, status: string) {
    super(`Job ${id} is ${status}: it is removed when it has ended`);
  }
}

/** The results of a job that has not completed were asked for. */
export class JobNotCompletedError extends HiresFixError {
  readonly code = 'ERR_JOB_NOT_COMPLETED';
  readonly fault = 'task';

  constructor(id: string, status: string) {
    super(`Job ${id} is ${status}: it has no results${status === 'queued' || status === 'processing' ? ' yet' : ''}`);
  }
}

/** A completed job has no result of this number. */
export class ResultNotFoundError extends HiresFixError {
  readonly code = 'ERR_RESULT_NOT_FOUND';
  readonly fault = 'task';

  /** `why` says what became of the image, where there was one. */
  constructor(id: string, number: string, why: string) {
    super(`Job ${id} has no result '${number.slice(0, 64)}': ${why}`);
  }
}

/** An idempotency key names one request; this one came with other content. */
export class IdempotencyKeyReusedError extends HiresFixError {
  readonly code = 'ERR_IDEMPOTENCY_KEY_REUSED';
  readonly fault = 'task';

  constructor(jobId: string) {
    super(`This Idempotency-Key belongs to job ${jobId}, which has another image or other options. Use a new key`);
  }
}
