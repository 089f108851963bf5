import { HiresFixError } from '../errors.ts';
import { InferenceError } from '../inference/errors.ts';

/** A parameter is not what it may be; the message names it, what came and what is allowed. */
export class BadParameterError extends HiresFixError {
  readonly code = 'ERR_BAD_PARAMETER';
  readonly fault = 'task';
}

/** No upscaler has this name, and no file in MODELS_DIR either. */
export class UnknownUpscalerError extends HiresFixError {
  readonly code = 'ERR_UNKNOWN_UPSCALER';
  readonly fault = 'task';
}

/** The result would be larger than MAX_OUTPUT_PIXELS. */
export class OutputTooLargeError extends HiresFixError {
  readonly code = 'ERR_OUTPUT_TOO_LARGE';
  readonly fault = 'image';
}

/** What was asked would make more work of the image than the service takes on, whatever the size of the result. */
export class WorkTooLargeError extends HiresFixError {
  readonly code = 'ERR_WORK_TOO_LARGE';
  readonly fault = 'image';
}

/** A result would replace a file, which was not asked for. */
export class FileExistsError extends HiresFixError {
  readonly code = 'ERR_FILE_EXISTS';
  readonly fault = 'image';
}

/** A network answered with values that are not numbers: weights are damaged, a device is, or 16 bits were too few. */
export class DamagedAnswerError extends InferenceError {}
