import type { Config } from '../config.ts';
import type { Fault } from '../errors.ts';
import type { WorkProgress } from '../processing/progress.ts';
import type { ImageResult, RunningOn } from '../processing/result.ts';
import type {
  Rung,
  DownloadTask,
  ExtrasTask,
  FaceTask,
  FindFacesTask,
  HiresFixTask,
  OptimizeTask,
  PreviewTask,
  RestoreTask,
  RunNetworkTask,
} from '../processing/tasks.ts';

export type Task =
  | HiresFixTask
  | ExtrasTask
  | PreviewTask
  | FaceTask
  | FindFacesTask
  | RestoreTask
  | RunNetworkTask
  | DownloadTask
  | OptimizeTask;

/** Server to worker, once a task. `scratch` is a folder that the server removes when the worker is gone or at rest. */
export interface StartMessage {
  readonly type: 'start';
  readonly task: Task;
  readonly rung: Rung;
  readonly scratch: string;
  readonly config: Config;
}

/** What went wrong, as it crosses the process boundary. */
export interface Failure {
  readonly code: string;
  readonly fault: Fault;
  /** One line. */
  readonly message: string;
  /** What may help: `memory`, a smaller tile; `device`, another device. None: trying again cannot help. */
  readonly remedy?: 'memory' | 'device';
  /** Where it came from and what caused it, for the log. */
  readonly stack?: string;
}

/** What a worker holds that is done with a task in which nothing failed, and that may take another. */
export interface WorkerRest {
  /** In bytes. */
  readonly residentBytes: number;
  /** Whether the network of the task is still loaded; if not, none ever was. */
  readonly keepsModel: boolean;
}

/**
 * Worker to server. `ready` once, when it can take a task; `started` first of a task; `done` or `failed` last. One that says nothing of its
 * rest ends then.
 */
export type WorkerMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'started' }
  | { readonly type: 'image'; readonly index: number }
  | { readonly type: 'running'; readonly on: RunningOn }
  | { readonly type: 'placing'; readonly index: number }
  | { readonly type: 'progress'; readonly progress: WorkProgress }
  | { readonly type: 'result'; readonly result: ImageResult }
  | { readonly type: 'image-failed'; readonly index: number; readonly failure: Failure }
  | { readonly type: 'done'; readonly rest?: WorkerRest }
  | { readonly type: 'failed'; readonly failure: Failure };
