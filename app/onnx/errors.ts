import { HiresFixError, oneLine } from '../errors.ts';

/** A checkpoint's tensors do not make the network that its keys promise: one is missing, left over, or of the wrong shape. */
export class WeightsError extends HiresFixError {
  readonly code = 'ERR_BAD_WEIGHTS';
  readonly fault = 'model';

  constructor(message: string, options?: ErrorOptions) {
    super(oneLine(message), options);
  }
}

/** A graph was put together wrongly: a defect of an architecture file, never of a caller's input. */
export class GraphError extends HiresFixError {
  readonly code = 'ERR_BAD_GRAPH';
  readonly fault = 'model';
}

/** A size was asked for while building that is known only when the graph runs. */
export class UnknownSizeError extends GraphError {}
