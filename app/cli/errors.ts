import { HiresFixError } from '../errors.ts';

/** The command line is not one that we understand; the process exits with 2. */
export class UsageError extends HiresFixError {
  readonly code = 'ERR_USAGE';
}

/** Some of the files of a batch failed; each was told of when it did. */
export class BatchFailedError extends HiresFixError {
  readonly code = 'ERR_BATCH_FAILED';
}

/** A model's file is not what was downloaded or published; each was told of. */
export class VerificationFailedError extends HiresFixError {
  readonly code = 'ERR_VERIFICATION_FAILED';
}
