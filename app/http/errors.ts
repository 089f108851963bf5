import { HiresFixError, printable } from '../errors.ts';
import { errorCode } from '../files/error-code.ts';
import { BadParameterError } from '../processing/errors.ts';

/** A field of a request is not usable; the message names it, what is allowed, and what came. */
export class BadFieldError extends BadParameterError {
  readonly field: string;

  /** `expected` completes "name: ..."; `value` is what came, if anything did. */
  constructor(field: string, expected: string, value?: unknown) {
    super(`${field}: ${expected}${value === undefined ? '' : `, got ${quoted(value)}`}`);
    this.field = field;
  }
}

/** The body is not what its Content-Type says, or ends too early. */
export class BadBodyError extends HiresFixError {
  readonly code = 'ERR_BAD_BODY';
  readonly fault = 'task';
}

/** More bytes than are allowed. */
export class BodyTooLargeError extends HiresFixError {
  readonly code = 'ERR_FILE_TOO_LARGE';
  readonly fault = 'image';

  /** @param limit what it is called */
  constructor(what: string, maxBytes: number, limit = 'the limit of this service (MAX_FILE_SIZE_MB)') {
    super(`${what} is larger than ${Number((maxBytes / 2 ** 20).toFixed(2))} MB, ${limit}`);
  }
}

/** Models are sent to a service whose operator has not allowed it. */
export class ModelUploadOffError extends HiresFixError {
  readonly code = 'ERR_MODEL_UPLOAD_OFF';
  readonly fault = 'service';

  constructor() {
    super('This service takes no models: its operator adds them to MODELS_DIR, or sets ALLOW_MODEL_UPLOAD=true');
  }
}

/** The body came too slowly to be waited for. */
export class SlowBodyError extends HiresFixError {
  readonly code = 'ERR_SLOW_BODY';
  readonly fault = 'service';

  constructor() {
    super('The request body came too slowly: at under 8 KB/s. The connection is closed');
  }
}

/** A Content-Type that this route does not take. */
export class UnsupportedMediaTypeError extends HiresFixError {
  readonly code = 'ERR_UNSUPPORTED_MEDIA_TYPE';
  readonly fault = 'task';

  constructor(expected: string, contentType: string | undefined) {
    super(`Expected ${expected}, got ${contentType === undefined ? 'no Content-Type' : quoted(contentType)}`);
  }
}

/** Nothing answers at this path and method. */
export class RouteNotFoundError extends HiresFixError {
  readonly code = 'ERR_NOT_FOUND';
  readonly fault = 'task';

  constructor(method: string, path: string) {
    super(`Nothing answers to ${method} ${path.slice(0, 200)}`);
  }
}

/** The path is there, but takes other methods. */
export class MethodNotAllowedError extends HiresFixError {
  readonly code = 'ERR_METHOD_NOT_ALLOWED';
  readonly fault = 'task';

  constructor(method: string, path: string, allowed: readonly string[]) {
    super(`${path.slice(0, 200)} does not take ${method}; it takes ${allowed.join(', ')}`);
  }
}

/** The request does not say by which name the service was called, which HTTP/1.1 asks for. */
export class NoHostError extends HiresFixError {
  readonly code = 'ERR_BAD_REQUEST';
  readonly fault = 'task';

  constructor() {
    super('The request has no Host header');
  }
}

/** A page of another web origin tried to change something here. */
export class OriginNotAllowedError extends HiresFixError {
  readonly code = 'ERR_ORIGIN_NOT_ALLOWED';
  readonly fault = 'task';

  constructor(origin: string) {
    super(`Pages from ${quoted(origin)} may not use this service. Its owner can name the origin in ALLOWED_ORIGINS`);
  }
}

/** The request names a host that this service does not go by. */
export class HostNotAllowedError extends HiresFixError {
  readonly code = 'ERR_HOST_NOT_ALLOWED';
  readonly fault = 'task';

  constructor(host: string) {
    super(`This service does not answer to the name ${quoted(host)}. Its owner can add it to ALLOWED_HOSTS`);
  }
}

const MAX_QUOTE = 100;

function quoted(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  const isLong = typeof value === 'string' && value.length > MAX_QUOTE;
  return printable(JSON.stringify(isLong ? value.slice(0, MAX_QUOTE) : value)) + (isLong ? '…' : '');
}

/** The service cannot listen where it is told to. */
export class AddressUnusableError extends HiresFixError {
  readonly code = 'ERR_ADDRESS_UNUSABLE';
  readonly fault = 'service';

  /** `variable` is the one that names the port. */
  constructor(
    { host, port, variable }: { readonly host: string; readonly port: number; readonly variable: string },
    cause: unknown,
  ) {
    const reason =
      ADDRESS_FAULTS.get(errorCode(cause) ?? '') ?? 'HOST, {variable}: the service cannot listen at {host}:{port}';
    const detail = cause instanceof Error ? cause.message : String(cause);
    const told = reason.replaceAll('{variable}', variable).replace('{host}', host).replace('{port}', String(port));
    super(`${told} (${detail})`, { cause });
  }
}

/** What is wrong, and what to do, by the code of the system. */
const ADDRESS_FAULTS: ReadonlyMap<string, string> = new Map([
  [
    'EADDRINUSE',
    '{variable}: another program listens at {host}:{port}. Stop it, or choose another {variable} (0 takes a free one)',
  ],
  ['EACCES', '{variable}: this user may not listen at {port}. Choose a {variable} above 1023'],
  ['EADDRNOTAVAIL', 'HOST: {host} is no address of this machine. Choose one, or 0.0.0.0 for all of them'],
  ['ENOTFOUND', 'HOST: there is no {host}. Choose an address of this machine, or 0.0.0.0 for all of them'],
]);
