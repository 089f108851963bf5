import type { Config } from '../config.ts';
import type { WorkProgress } from '../processing/progress.ts';
import type { ImageResult } from '../processing/result.ts';
import type { OutputOptions, UpscaleOptions } from '../processing/upscale-options.ts';

/** One image of a task: a file to read, the name its owner gave it, and where the result goes. */
export interface TaskImage {
  readonly file: string;
  readonly name: string;
  /** The result's path without an extension; the worker adds the one of the format it wrote. */
  readonly outputStem: string;
}

/** Upscale a list of images with one configuration; the model is loaded once. */
export interface HiresFixTask {
  readonly kind: 'hires-fix';
  readonly images: readonly TaskImage[];
  readonly options: UpscaleOptions;
  readonly output: OutputOptions;
}

/** Feed one tensor file to the bare network of a checkpoint (`hiresfix models run`): how conformance is measured. */
export interface RunNetworkTask {
  readonly kind: 'run-network';
  readonly checkpoint: string;
  readonly input: string;
  readonly output: string;
}

export type Task = HiresFixTask | RunNetworkTask;

/** What a rung of the fallback ladder allows the worker. */
export interface Attempt {
  /** Devices that failed before in this task. */
  readonly excludedDevices: readonly string[];
  /** Largest tile core in input pixels, where an earlier attempt ran out of memory or died. */
  readonly maxTile?: number;
  /** Images finished by earlier attempts, by index. */
  readonly finished: readonly number[];
}

/** Server to worker. One task a worker; `scratch` is a folder that the server removes when the worker is gone. */
export interface StartMessage {
  readonly type: 'start';
  readonly task: Task;
  readonly attempt: Attempt;
  readonly scratch: string;
  readonly config: Config;
}

/** Why a worker gave up: what the caller is told, and what another attempt could change. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  /** `memory`: a smaller tile may do. `device`: another device may do. None: trying again cannot help. */
  readonly remedy?: 'memory' | 'device';
  readonly device?: string;
  readonly tile?: number;
}

/** Worker to server. `ready` once, when it can take a task; `done` or `failed` last. */
export type WorkerMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'progress'; readonly progress: WorkProgress; readonly device?: string; readonly tileSize?: number }
  | { readonly type: 'result'; readonly result: ImageResult }
  | { readonly type: 'done' }
  | { readonly type: 'failed'; readonly failure: Failure };
