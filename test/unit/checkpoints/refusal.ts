import { CheckpointError } from '../../../app/checkpoints/errors.ts';

/** The CheckpointError that `read` throws; any other error, and none, fail the test. */
export function refusalOf(read: () => unknown): CheckpointError {
  try {
    read();
  } catch (error) {
    if (error instanceof CheckpointError) return error;
    throw error;
  }
  throw new Error('expected a CheckpointError, nothing was thrown');
}
