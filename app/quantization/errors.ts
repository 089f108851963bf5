import { HiresFixError } from '../errors.ts';

/** A network has no int8 form that would be worth its loss; the message says why. */
export class Int8RefusedError extends HiresFixError {
  readonly code = 'ERR_INT8_REFUSED';
  readonly fault = 'model';
}

/** A calibration cannot be written beside the weights that it is for. */
export class CalibrationFolderError extends HiresFixError {
  readonly code = 'ERR_CALIBRATION_FOLDER';
  readonly fault = 'image';
}
