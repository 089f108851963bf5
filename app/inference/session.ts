import { realpathSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import type * as OnnxRuntime from 'onnxruntime-node';
import { missingForCuda } from './cuda-provider.ts';
import type { SessionDevice } from './devices.ts';
import { PROVIDERS } from './devices.ts';
import { DeviceUnavailableError, InferenceError } from './errors.ts';

let loading: Promise<typeof OnnxRuntime> | undefined;

/** Whether this process has loaded the runtime, whose memory comes back wholly only when the process ends. */
export function hasLoadedRuntime(): boolean {
  return loading !== undefined;
}

/** Begins to load the runtime: whoever opens a session waits for it, and is told where it cannot be had. */
export function beginRuntime(): void {
  loadRuntime().catch(() => undefined);
}

/** A tensor on its way into or out of a session, elements in C order. */
export interface Tensor {
  readonly type: 'float32' | 'float16' | 'uint8' | 'uint16' | 'int32' | 'int64';
  /** Of float16: its bits. */
  readonly data: Float32Array | Uint8Array | Uint16Array | Int32Array | BigInt64Array;
  readonly dims: readonly number[];
}

export interface SessionOptions {
  /** The folder in which the external data of `model` lies: that of the checkpoint, links resolved. */
  readonly weightsFolder: string;
  readonly device: SessionDevice;
}

/** The folder of a checkpoint as onnxruntime wants it: it follows no link out of the folder it is given. */
export function weightsFolderOf(checkpoint: string): string {
  return dirname(realpathSync(checkpoint));
}

/**
 * A loaded network. Loading and running block the event loop of this process, which is why this lives in a worker; memory
 * comes back wholly only when the process ends.
 */
export class Session {
  readonly device: SessionDevice;
  readonly #session: OnnxRuntime.InferenceSession;
  readonly #runtime: typeof OnnxRuntime;

  private constructor(runtime: typeof OnnxRuntime, session: OnnxRuntime.InferenceSession, device: SessionDevice) {
    this.#runtime = runtime;
    this.#session = session;
    this.device = device;
  }

  /**
   * Loads an ONNX model whose weights lie in files of `weightsFolder`.
   * @throws DeviceUnavailableError where the provider cannot be had; InferenceError where the model cannot be loaded
   */
  static async open(model: Uint8Array, { weightsFolder, device }: SessionOptions): Promise<Session> {
    const runtime = await loadRuntime();
    try {
      const session = await runtime.InferenceSession.create(model, {
        executionProviders: [PROVIDERS[device]],
        graphOptimizationLevel: 'all',
        enableMemPattern: false, // 170 MB less for under a tenth of the speed (measured on 23 blocks)
        intraOpNumThreads: availableParallelism(), // left to itself it sets affinities, which fails in cpusets
        logSeverityLevel: 4,
        extra: { session: { model_external_initializers_file_folder_path: weightsFolder } },
      });
      return new Session(runtime, session, device);
    } catch (error) {
      const reason = reasonOf(error, device);
      if (device === 'cpu') throw inferenceError(`the model cannot be loaded: ${reason}`, error);
      throw new DeviceUnavailableError(`${device} cannot be used here: ${reason}`, { cause: error });
    }
  }

  /** Runs the network once. @throws InferenceError */
  async run(inputs: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, Tensor>>> {
    const { Tensor: RuntimeTensor } = this.#runtime;
    const feeds = Object.fromEntries(
      Object.entries(inputs).map(([name, { type, data, dims }]) => [name, new RuntimeTensor(type, data, dims)]),
    );
    try {
      const outputs = await this.#session.run(feeds);
      return outputs as unknown as Readonly<Record<string, Tensor>>;
    } catch (error) {
      throw inferenceError(`the network failed on ${this.device}: ${reasonOf(error, this.device)}`, error);
    }
  }

  /** What the runtime knows of an output's shape without running: undefined where a side of it is open. */
  outputShape(name: string): readonly number[] | undefined {
    const found = this.#session.outputMetadata.find((output) => output.name === name);
    if (!found?.isTensor) return undefined;
    const sizes = found.shape.filter((size) => typeof size === 'number');
    return sizes.length === found.shape.length ? sizes : undefined;
  }

  async release(): Promise<void> {
    await this.#session.release();
  }
}

/**
 * CUDA's libraries look it up when they are loaded. Left to themselves they round the factors of float32 products to ten bits, which
 * chooses other entries of a restorer's codebook: another face, if only a little. What is to be fast is in float16 anyway.
 */
const TF32_OVERRIDE = 'NVIDIA_TF32_OVERRIDE';

/** Without it the runtime keeps a log and an identity in the folder for scratch files, and tells its maker what it is used for. */
const NO_TELEMETRY = 'ORT_DISABLE_TELEMETRY';

/** Loads the runtime with the first session: most of what a worker does with pictures by filters alone needs none. */
async function loadRuntime(): Promise<typeof OnnxRuntime> {
  if (loading === undefined) {
    process.env[TF32_OVERRIDE] ??= '0';
    process.env[NO_TELEMETRY] = '1';
  }
  loading ??= import('onnxruntime-node').then((runtime) => {
    runtime.env.logLevel = 'fatal'; // what goes wrong comes as an exception
    return runtime;
  });
  return loading;
}

/** What providers say when memory runs out; there is no code for it (microsoft/onnxruntime#16307). */
const OUT_OF_MEMORY = /out of memory|bad_alloc|bad allocation|failed to allocate|CUBLAS_STATUS_ALLOC_FAILED/i;

function inferenceError(message: string, cause: unknown): InferenceError {
  return new InferenceError(message, { cause, isOutOfMemory: OUT_OF_MEMORY.test(message) });
}

/** What the runtime says, and which libraries CUDA lacks, of which it names none or one. */
function reasonOf(error: unknown, device: SessionDevice): string {
  const missing = device === 'cuda' ? missingForCuda() : undefined;
  return missing === undefined ? describe(error) : `${describe(error)}; ${missing}`;
}

/** The first line, without the source paths of onnxruntime's build. */
function describe(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return (text.split('\n')[0] ?? '').replace(/\S*\/onnxruntime_src\/\S+/g, '').slice(0, 300);
}
