/** The service cannot be reached, or what answers is none. */
export class ServiceUnreachableError extends Error {
  readonly code = 'ERR_SERVER';
  override readonly name = 'ServiceUnreachableError';
}

/** What the service refused, or what became of a job that was not completed. */
export class ServiceProblemError extends Error {
  override readonly name = 'ServiceProblemError';
  /** One of docs/errors.md. */
  readonly code: string;
  /** Of the answer; none where a job was accepted and ended otherwise than well. */
  readonly status: number | undefined;

  constructor(code: string, message: string, status?: number) {
    super(message);
    this.code = code;
    this.status = status;
  }
}
