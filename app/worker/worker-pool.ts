import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Config } from '../config.ts';
import { HiresFixError } from '../errors.ts';
import type { WorkProgress } from '../processing/progress.ts';
import type { Fallback, ImageResult } from '../processing/result.ts';
import type { Attempt } from '../processing/tasks.ts';
import { CancelledError, TaskFailedError, TaskTimeoutError, WorkerCrashedError } from './errors.ts';
import type { Defeat } from './fallback-ladder.ts';
import { nextRung } from './fallback-ladder.ts';
import type { Task } from './protocol.ts';
import { runAttempt } from './run-attempt.ts';
import { WorkerProcess } from './worker-process.ts';

/** What a task's caller is told, and how it calls the task off. */
export interface TaskHooks {
  readonly signal?: AbortSignal;
  onProgress?(progress: WorkProgress): void;
  onResult?(result: ImageResult): void;
  /** Where this is given, images that fail do not end the task. */
  onImageFailed?(index: number, error: HiresFixError): void;
}

export interface WorkerPoolOptions {
  /** Whether workers give way to other processes on the CPU, as they should beside a server. */
  readonly isBackground: boolean;
}

/**
 * Runs each task in a worker process of its own, and keeps one more forked ahead, without a model, so that the next task does
 * not wait for a process to start. A worker that dies, hangs or runs out of memory becomes the next rung of the fallback
 * ladder or a clear error, never a wrong pixel.
 */
export class WorkerPool {
  readonly #config: Config;
  readonly #options: WorkerPoolOptions;
  readonly #running = new Set<WorkerProcess>();
  #spare: WorkerProcess | undefined;
  #isClosed = false;

  constructor(config: Config, options: WorkerPoolOptions = { isBackground: true }) {
    this.#config = config;
    this.#options = options;
  }

  /**
   * Runs a task to its end.
   * @returns the finished images in order (none for a task that makes no images)
   * @throws TaskFailedError with the worker's own code; WorkerCrashedError; TaskTimeoutError; CancelledError
   */
  async run(task: Task, hooks: TaskHooks = {}): Promise<readonly ImageResult[]> {
    const scratch = await mkdtemp(join(scratchParent(task), '.hiresfix-'));
    const timeout = AbortSignal.timeout(this.#config.jobTimeoutMs);
    const signal = hooks.signal ? AbortSignal.any([hooks.signal, timeout]) : timeout;
    try {
      return await this.#climb(task, scratch, hooks, signal);
    } catch (error) {
      if (hooks.signal?.aborted) throw new CancelledError('the task was cancelled', { cause: error });
      if (!timeout.aborted) throw error;
      const seconds = this.#config.jobTimeoutMs / 1000;
      throw new TaskTimeoutError(`the task took longer than the ${seconds} s of JOB_TIMEOUT_SECONDS`, { cause: error });
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }

  /** Forks the spare worker; resolves when it can take a task. */
  async warm(): Promise<void> {
    await this.#fork().ready;
  }

  /** Kills every worker; tasks that run fail. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const workers = [...this.#running, ...(this.#spare ? [this.#spare] : [])];
    this.#spare = undefined;
    await Promise.all(workers.map((worker) => worker.kill()));
  }

  /** One attempt after another, down the ladder. */
  async #climb(task: Task, scratch: string, hooks: TaskHooks, signal: AbortSignal): Promise<readonly ImageResult[]> {
    const results = new Map<number, ImageResult>();
    const fallbacks: Fallback[] = [];
    const failed = new Set<number>();
    let attempt: Attempt = { excludedDevices: [], finished: [] };
    for (;;) {
      const defeat = await this.#attempt({ task, attempt, scratch }, signal, {
        onProgress: (progress) => hooks.onProgress?.(progress),
        onResult: (result) => {
          const told = { ...result, info: { ...result.info, fallbacks: [...fallbacks, ...result.info.fallbacks] } };
          results.set(result.index, told);
          hooks.onResult?.(told);
        },
        onImageFailed: (index, failure) => {
          const error = new TaskFailedError(failure);
          if (!hooks.onImageFailed) throw error;
          failed.add(index);
          hooks.onImageFailed(index, error);
        },
      });
      if (!defeat) return [...results.values()].sort((a, b) => a.index - b.index);
      const rung = nextRung({ ...attempt, finished: [...results.keys(), ...failed] }, defeat);
      if (!rung) throw errorOf(defeat);
      fallbacks.push(rung.fallback);
      attempt = rung.attempt;
    }
  }

  async #attempt(
    work: { readonly task: Task; readonly attempt: Attempt; readonly scratch: string },
    signal: AbortSignal,
    hooks: Parameters<typeof runAttempt>[1]['hooks'],
  ): Promise<Defeat | undefined> {
    signal.throwIfAborted();
    const worker = await this.#take();
    this.#running.add(worker);
    try {
      return await runAttempt(worker, { message: { type: 'start', ...work, config: this.#config }, signal, hooks });
    } finally {
      this.#running.delete(worker);
      if (!this.#isClosed && this.#options.isBackground) this.#fork();
    }
  }

  /** The spare if there is one that lives, else a new worker. */
  async #take(): Promise<WorkerProcess> {
    if (this.#isClosed) throw new CancelledError('the service is shutting down');
    const spare = this.#spare ?? new WorkerProcess(this.#options.isBackground);
    this.#spare = undefined;
    if (await spare.ready) return spare;
    const { stderr } = await spare.exited;
    throw new WorkerCrashedError(`the worker process could not be started: ${stderr || 'it said nothing'}`);
  }

  #fork(): WorkerProcess {
    if (this.#spare) return this.#spare;
    const spare = new WorkerProcess(this.#options.isBackground);
    this.#spare = spare;
    void spare.exited.then(() => {
      if (this.#spare === spare) this.#spare = undefined; // it was killed while it waited: the next task forks anew
    });
    return spare;
  }
}

/** On the same file system as the results, so that finished ones can be renamed into place. */
function scratchParent(task: Task): string {
  const stem = task.kind === 'hires-fix' ? task.images[0]?.outputStem : undefined;
  return stem === undefined ? tmpdir() : dirname(stem);
}

function errorOf({ failure, reason }: Defeat): HiresFixError {
  return failure ? new TaskFailedError(failure) : new WorkerCrashedError(`the worker process ${reason}`);
}
