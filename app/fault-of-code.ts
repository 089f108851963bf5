import type * as access from './access/errors.ts';
import type * as architectures from './architectures/errors.ts';
import type * as catalog from './catalog/errors.ts';
import type * as checkpoints from './checkpoints/errors.ts';
import type { Fault } from './errors.ts';
import type * as http from './http/errors.ts';
import type * as imaging from './imaging/errors.ts';
import type * as inference from './inference/errors.ts';
import type * as jobs from './jobs/errors.ts';
import type * as onnx from './onnx/errors.ts';
import type * as outbound from './outbound/errors.ts';
import type * as processing from './processing/errors.ts';
import type * as worker from './worker/errors.ts';

type ErrorModule =
  | typeof access
  | typeof architectures
  | typeof catalog
  | typeof checkpoints
  | typeof http
  | typeof imaging
  | typeof inference
  | typeof jobs
  | typeof onnx
  | typeof outbound
  | typeof processing
  | typeof worker;

/** The errors of a module whose codes are known before they are thrown. */
type ErrorOf<Module> = Module extends unknown ? { [Name in keyof Module]: Coded<Module[Name]> }[keyof Module] : never;
type Coded<Class> = Class extends abstract new (...args: never[]) => infer Instance
  ? Instance extends { readonly code: infer Code; readonly fault: Fault }
    ? string extends Code
      ? never
      : Instance
    : never
  : never;
type PublicError =
  | ErrorOf<ErrorModule>
  | { readonly code: 'ERR_BAD_REQUEST'; readonly fault: 'task' }
  | { readonly code: 'ERR_INTERNAL'; readonly fault: 'machine' };

/** Every code that the service may answer with: those of its errors, and two for what has none. */
export type PublicCode = PublicError['code'];

/** What the classes say, for whoever has nothing but the code. An entry that is missing, or says another fault, does not compile. */
const FAULTS: { readonly [Code in PublicCode]: Extract<PublicError, { readonly code: Code }>['fault'] } = {
  ERR_ADDRESS_UNUSABLE: 'service',
  ERR_BAD_BODY: 'task',
  ERR_BAD_CHECKPOINT: 'model',
  ERR_BAD_GRAPH: 'model',
  ERR_BAD_IMAGE: 'image',
  ERR_BAD_JOURNAL: 'service',
  ERR_BAD_MODELS_LOCK: 'service',
  ERR_BAD_PARAMETER: 'task',
  ERR_BAD_REQUEST: 'task',
  ERR_BAD_WEIGHTS: 'model',
  ERR_CALLER_QUEUE_FULL: 'service',
  ERR_CANCELLED: 'service',
  ERR_DEVICE_UNAVAILABLE: 'task',
  ERR_DOWNLOAD_FAILED: 'model',
  ERR_FILE_EXISTS: 'image',
  ERR_FILE_TOO_LARGE: 'image',
  ERR_FOLDER_UNUSABLE: 'service',
  ERR_HOST_NOT_ALLOWED: 'task',
  ERR_IDEMPOTENCY_KEY_REUSED: 'task',
  ERR_IMAGE_TOO_LARGE: 'image',
  ERR_INFERENCE: 'machine',
  ERR_INTERNAL: 'machine',
  ERR_JOB_FINISHED: 'task',
  ERR_JOB_INTERRUPTED: 'service',
  ERR_JOB_NOT_COMPLETED: 'task',
  ERR_JOB_NOT_ENDED: 'task',
  ERR_JOB_NOT_FOUND: 'task',
  ERR_JOB_TIMEOUT: 'machine',
  ERR_METHOD_NOT_ALLOWED: 'task',
  ERR_MODEL_EXISTS: 'model',
  ERR_MODEL_REFUSED: 'model',
  ERR_MODEL_UNAVAILABLE: 'model',
  ERR_MODEL_UPLOAD_OFF: 'service',
  ERR_NETWORK_INPUT: 'image',
  ERR_NOT_FOUND: 'task',
  ERR_NOT_READY: 'service',
  ERR_ORIGIN_NOT_ALLOWED: 'task',
  ERR_OUTPUT_FORMAT: 'image',
  ERR_OUTPUT_TOO_LARGE: 'image',
  ERR_PRIVATE_ADDRESS: 'task',
  ERR_QUEUE_FULL: 'service',
  ERR_RATE_LIMITED: 'service',
  ERR_RESULT_NOT_FOUND: 'task',
  ERR_SCRATCH_SPACE: 'image',
  ERR_SLOW_BODY: 'service',
  ERR_STATE_IN_USE: 'service',
  ERR_STORE_UNAVAILABLE: 'service',
  ERR_TOO_MANY_STREAMS: 'service',
  ERR_TOO_MANY_WRONG_KEYS: 'service',
  ERR_UNAUTHORIZED: 'service',
  ERR_UNKNOWN_MODEL: 'model',
  ERR_UNKNOWN_NETWORK: 'model',
  ERR_UNKNOWN_UPSCALER: 'task',
  ERR_UNSUPPORTED_IMAGE: 'image',
  ERR_UNSUPPORTED_MEDIA_TYPE: 'task',
  ERR_WORK_TOO_LARGE: 'image',
  ERR_WORKER_CRASHED: 'machine',
};

/** Whose fault an error of a service is; a code that is not known here is the service's own. */
export function faultOfCode(code: string): Fault {
  return (FAULTS as Readonly<Record<string, Fault>>)[code] ?? 'service';
}
