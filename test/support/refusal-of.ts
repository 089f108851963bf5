import { HiresFixError } from '../../app/errors.ts';

/** The error of ours that `run` ends with; any other error, or none, fails the test. */
export function refusalOf(run: () => unknown): HiresFixError {
  try {
    run();
  } catch (error) {
    if (error instanceof HiresFixError) return error;
    throw error;
  }
  throw new Error('expected an error, got a result');
}
