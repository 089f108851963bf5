import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { environmentWithoutSecrets } from '../../config.ts';
import { forkedModule, giveWay } from '../../files/forked-module.ts';
import { resourcesOf } from '../../files/process-resources.ts';
import { isOnnxName, MAX_ONNX_BYTES } from '../../exported/picture-model.ts';
import type { InspectedModel } from '../catalog-entry.ts';
import { InspectionError } from '../errors.ts';
import { filesBesideOnnx } from '../model-files.ts';
import { inspectionAnswer } from './inspection-messages.ts';

export interface InspectionLimits {
  /** How long one file may take. */
  readonly timeoutMs: number;
  /** Processor time that one file may take, however long the machine makes it wait. Watched on Linux. */
  readonly cpuMs: number;
  /** The JavaScript heap of the process that reads it; what is beyond is its end. */
  readonly heapMb: number;
  /** All of that process's memory, what lies outside the heap included. Watched on Linux. */
  readonly memoryMb: number;
  /** How long the process waits for another file. */
  readonly idleMs: number;
}

/** The largest known model takes a tenth of a second and 60 MB. */
const INSPECTION_LIMITS: InspectionLimits = {
  timeoutMs: 30_000,
  cpuMs: 4000,
  heapMb: 160,
  memoryMb: 300,
  idleMs: 2000,
};

/** An ONNX file is not only read but run, by a runtime that holds its weights several times while it rewrites the graph. */
const ONNX_ALLOWANCE = { cpuTimes: 4, memoryPerByte: 6 };

const WATCH_MS = 50;
const TOO_MUCH_MEMORY = 'it takes more memory than any model';

/**
 * Reads what networks files hold, one after another, in a process of its own with bounds on time, memory and what it may say:
 * a file that asks for more costs that process and not this one. The process ends when it has had nothing to do.
 */
export class CheckpointInspector {
  readonly #limits: InspectionLimits;
  #child: ChildProcess | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #idle: NodeJS.Timeout | undefined;

  /** @param limits those that are to be other than the usual */
  constructor(limits: Partial<InspectionLimits> = {}) {
    this.#limits = { ...INSPECTION_LIMITS, ...limits };
  }

  /**
   * @throws InspectionError with the reason why the file cannot be used, which includes that reading it did not come to its
   * end; whatever forking throws where the system has no room for another process
   */
  async inspect(file: string): Promise<InspectedModel> {
    const answer = this.#last.then(() => this.#ask(file));
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  async #ask(file: string): Promise<InspectedModel> {
    clearTimeout(this.#idle);
    const child = this.#child ?? this.#fork();
    this.#child = child;
    try {
      const answer = inspectionAnswer.safeParse(await this.#answerOf(child, file));
      if (!answer.success) throw new InspectionError('the result of inspecting it cannot be read');
      if ('problem' in answer.data) throw new InspectionError(answer.data.problem);
      return answer.data;
    } finally {
      // What the runtime has taken it keeps, and the next file has bounds of its own.
      if (isOnnxName(file)) this.#end(child);
      else this.#idle = setTimeout(() => this.#end(child), this.#limits.idleMs).unref();
    }
  }

  async #answerOf(child: ChildProcess, file: string): Promise<unknown> {
    const limits = await this.#limitsFor(file);
    const { timeoutMs } = limits;
    let timer: NodeJS.Timeout | undefined;
    let watch: NodeJS.Timeout | undefined;
    try {
      return await new Promise((resolve, reject) => {
        const fail = (reason: string) => {
          this.#end(child);
          reject(new InspectionError(`reading it did not finish: ${reason}. Do not use it`));
        };
        timer = setTimeout(() => fail(`it takes more than ${timeoutMs / 1000} s`), timeoutMs);
        const excess = excessOf(child.pid, limits);
        watch = setInterval(() => {
          const reason = excess();
          if (reason !== undefined) fail(reason);
        }, WATCH_MS).unref();
        child.once('message', resolve);
        child.once('error', reject);
        child.once('exit', () => fail(TOO_MUCH_MEMORY));
        child.send(file, () => undefined); // one that cannot be told has died: `exit` says so
      });
    } finally {
      clearTimeout(timer);
      clearInterval(watch);
      for (const event of ['message', 'error', 'exit']) child.removeAllListeners(event);
    }
  }

  async #limitsFor(file: string): Promise<InspectionLimits> {
    if (!isOnnxName(file)) return this.#limits;
    const parts = [await stat(file).catch(() => ({ size: 0 })), ...(await filesBesideOnnx(file))];
    const size = Math.min(
      MAX_ONNX_BYTES,
      parts.reduce((sum, part) => sum + part.size, 0),
    );
    const { cpuMs, memoryMb } = this.#limits;
    return {
      ...this.#limits,
      cpuMs: cpuMs * ONNX_ALLOWANCE.cpuTimes,
      memoryMb: memoryMb + (size * ONNX_ALLOWANCE.memoryPerByte) / 2 ** 20,
    };
  }

  #fork(): ChildProcess {
    const { entry, execArgv } = forkedModule(import.meta.url, './inspect-child');
    const child = fork(entry, [], {
      env: environmentWithoutSecrets(),
      execArgv: [`--max-old-space-size=${this.#limits.heapMb}`, ...execArgv],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    // Who asked waits for the answer; that the process is there keeps nobody.
    child.unref();
    child.channel?.unref();
    giveWay(child.pid);
    return child;
  }

  #end(child: ChildProcess): void {
    if (this.#child === child) this.#child = undefined;
    child.kill('SIGKILL');
  }
}

/** Asked again and again, says in what a process has taken more than it may since this was called; nothing where that cannot be seen. */
function excessOf(pid: number | undefined, { cpuMs, memoryMb }: InspectionLimits): () => string | undefined {
  const before = pid === undefined ? undefined : resourcesOf(pid);
  return () => {
    const now = pid === undefined || before === undefined ? undefined : resourcesOf(pid);
    if (now === undefined || before === undefined) return undefined;
    if (now.memoryBytes > memoryMb * 2 ** 20) return TOO_MUCH_MEMORY;
    return now.cpuMs - before.cpuMs > cpuMs ? `it takes more than ${cpuMs / 1000} s of work` : undefined;
  };
}
