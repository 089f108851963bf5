import { constants } from 'node:os';
import type { Fault } from '../errors.ts';
import { HiresFixError } from '../errors.ts';
import { faultOfCode } from '../fault-of-code.ts';

/** The command line is not one that we understand; the process exits with 2. */
export class UsageError extends HiresFixError {
  readonly code = 'ERR_USAGE';
  readonly fault = 'task';
}

/** Some of the files of a batch failed; each was told of when it did. */
export class BatchFailedError extends HiresFixError {
  readonly code = 'ERR_BATCH_FAILED';
  readonly fault = 'image';
}

/** A model's file is not what was downloaded or published; each was told of. */
export class VerificationFailedError extends HiresFixError {
  readonly code = 'ERR_VERIFICATION_FAILED';
  readonly fault = 'model';
}

/** The int8 form of a model is below the gate; its figures were told. */
export class GateFailedError extends HiresFixError {
  readonly code = 'ERR_GATE_FAILED';
  readonly fault = 'model';
}

/** The doctor found something that does not work; what, and what to do, was told. */
export class UnhealthyError extends HiresFixError {
  readonly code = 'ERR_UNHEALTHY';
  readonly fault = 'machine';
}

/** The service of `--server` cannot be reached, or answers with what is not its own. */
export class ServerUnreachableError extends HiresFixError {
  readonly code = 'ERR_SERVER';
  readonly fault = 'service';
}

/** A signal asked the command to end, as Ctrl-C does; what was begun is cleaned up. */
export class InterruptedError extends HiresFixError {
  readonly code = 'ERR_CANCELLED';
  readonly fault = 'service';
  /** As shells have it: 130 after Ctrl-C, by which a loop in a script ends, too. */
  readonly exitCode: number;

  constructor(signal: NodeJS.Signals, cause?: Error) {
    super(cause?.message ?? 'the task was cancelled', { cause });
    this.exitCode = 128 + constants.signals[signal];
  }
}

/** What the service of `--server` refused or failed, with its own code. */
export class ServerProblemError extends HiresFixError {
  readonly code: string;
  readonly fault: Fault;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
    this.fault = faultOfCode(code);
  }
}
