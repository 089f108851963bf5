import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Image } from '../../../app/imaging/image.ts';
import type { ModelFiles } from '../../../app/processing/upscale/picture-source.ts';
import type { TilingUsed } from '../../../app/processing/upscale/real-esrgan-upscaler.ts';
import type { TilingOptions } from '../../../app/processing/upscale/tile-grid.ts';
import type { RunNetworkTask } from '../../../app/processing/tasks.ts';
import type { Fidelity } from '../../../app/quantization/fidelity.ts';
import type { Damage } from '../forms/measured-form.ts';

/** `models run` with a second checkpoint blended in. */
export interface BlendTask extends Omit<RunNetworkTask, 'kind'> {
  readonly kind: 'run-blended';
  readonly blend: { readonly file: string; readonly strength: number };
}

/** `models run` of the int8 graph, with every rounding left out. */
export interface UnroundedTask extends Omit<RunNetworkTask, 'kind'> {
  readonly kind: 'run-unrounded';
}

/** An image through the whole graph of a network in float16, which the CPU runs by casting back and forth. */
export interface HalfTask {
  readonly kind: 'run-half';
  readonly checkpoint: string;
  readonly image: Image;
  /** A `.safetensors` with the results: `float32` and `float16`, pixels. */
  readonly output: string;
}

export interface UpscaleJob {
  readonly image: Image;
  readonly tiling: TilingOptions;
}

/** Images through `RealESRGANUpscaler`, which keeps its session from one to the next. */
export interface UpscaleTask {
  readonly kind: 'upscale';
  readonly files: ModelFiles;
  readonly jobs: readonly UpscaleJob[];
  /** For scratch files. */
  readonly folder: string;
  /** In int8, calibrated on a scene; `trunk`: with its head in float32. */
  readonly int8?: 'whole' | 'trunk' | undefined;
  /** In fp16, which the CPU runs by casting back and forth. */
  readonly isHalf?: boolean;
}

/** What the gate is told of a network's int8 form, whole or broken on purpose. */
export interface MeasureTask {
  readonly kind: 'measure-int8';
  readonly checkpoint: string;
  readonly damage: Damage;
}

export type ChildTask = RunNetworkTask | BlendTask | UnroundedTask | HalfTask | UpscaleTask | MeasureTask;

export interface TiledUpscale {
  readonly image: Image;
  readonly used: TilingUsed;
  /** Tiles that were said to be finished, as they were told. */
  readonly told: readonly number[];
  /** Bytes of pixels in the scratch file. */
  readonly bytes: number;
}

export interface ChildError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string | undefined;
  /** Undefined where it is no error of ours. */
  readonly code?: string | undefined;
}

export interface ChildReply {
  readonly upscaled?: readonly TiledUpscale[];
  readonly fidelity?: Fidelity;
  readonly error?: ChildError;
}

const ENTRY = fileURLToPath(new URL('./run-network-child.ts', import.meta.url));

/** A process in which tests run networks, one task after another. It outlives a task that fails. */
export class NetworkProcess {
  readonly #process: ChildProcess;
  readonly #exited: Promise<string>;
  #last: Promise<unknown>;

  constructor() {
    const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
    this.#process = fork(ENTRY, [], { execArgv: ['--import', loader], serialization: 'advanced' });
    this.#exited = once(this.#process, 'exit').then(
      ([code, signal]) => `the child ended with ${String(code ?? signal)}`,
    );
    this.#last = this.#message();
  }

  /** Runs a tensor through a network. @returns the error, if there was one */
  async run(task: RunNetworkTask | BlendTask | UnroundedTask | HalfTask): Promise<ChildError | undefined> {
    return (await this.#ask(task)).error;
  }

  /** @throws where the task fails */
  async upscale(task: UpscaleTask): Promise<readonly TiledUpscale[]> {
    const { upscaled, error } = await this.#ask(task);
    if (!upscaled) throw new Error(error?.stack ?? error?.message);
    return upscaled;
  }

  /** @throws where the task fails */
  async measure(task: MeasureTask): Promise<Fidelity> {
    const { fidelity, error } = await this.#ask(task);
    if (!fidelity) throw new Error(error?.stack ?? error?.message);
    return fidelity;
  }

  async close(): Promise<void> {
    await this.#last.catch(() => undefined);
    if (this.#process.connected) this.#process.disconnect();
    await this.#exited;
  }

  /** In turn: the next task goes out when the one before is answered. */
  #ask(task: ChildTask): Promise<ChildReply> {
    const reply = this.#last.then(async () => {
      this.#process.send(task);
      return (await this.#message()) as ChildReply;
    });
    this.#last = reply;
    return reply;
  }

  async #message(): Promise<unknown> {
    const received = once(this.#process, 'message').then(([message]): unknown => message);
    const died = this.#exited.then((how): never => {
      throw new Error(how);
    });
    return Promise.race([received, died]);
  }
}
