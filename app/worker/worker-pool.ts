import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Config } from '../config.ts';
import { withoutSecrets } from '../config.ts';
import type { HiresFixError } from '../errors.ts';
import { INTERNAL_ERROR } from '../errors.ts';
import type { WorkProgress } from '../processing/progress.ts';
import type { ImageResult } from '../processing/result.ts';
import type { Rung } from '../processing/tasks.ts';
import { CardRota, cardOfDevice } from './card-rota.ts';
import { CancelledError, TaskFailedError, TaskTimeoutError, UnforeseenError, WorkerCrashedError } from './errors.ts';
import type { FailedRun, LowerRung } from './fallback-ladder.ts';
import { isOfImage, nextRung } from './fallback-ladder.ts';
import type { HangLimits } from './hang-watch.ts';
import { HANG_LIMITS } from './hang-watch.ts';
import { IdleWorkers } from './idle-workers.ts';
import { modelWanted } from './model-wanted.ts';
import type { Failure, Task, WorkerRest } from './protocol.ts';
import { runOnWorker } from './run-on-worker.ts';
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
  /**
   * Whether workers give way to other processes on the CPU, as they should beside a server, which has one forked ahead and uses them
   * again.
   */
  readonly isBackground: boolean;
  /** Cards that workers are spread over, as `CUDA_VISIBLE_DEVICES` names them; by default the one of `DEVICE=cuda:N`, if that names one. */
  readonly cards?: readonly string[];
  /** When a worker is taken to hang. */
  readonly hang?: HangLimits;
}

/** Workers that may be lost one after another before they took the task. */
const LOST_WORKERS = 3;

/**
 * Runs each task in a worker process that no other task has meanwhile, and keeps one more without a model, so that the next task does
 * not wait for a process to start: one that ran no network, else a new one. Where models are kept, a worker that holds one
 * takes the next task that wants it. A worker that dies, hangs or runs out of memory becomes the next rung of the fallback
 * ladder or a clear error, never a wrong pixel.
 */
export class WorkerPool {
  readonly #config: Config;
  readonly #options: WorkerPoolOptions;
  readonly #running = new Set<WorkerProcess>();
  readonly #idle: IdleWorkers;
  readonly #rota: CardRota;
  #isClosed = false;

  constructor(config: Config, options: WorkerPoolOptions = { isBackground: true }) {
    const { cards = config.card === undefined ? [] : [cardOfDevice(config.card)] } = options;
    const workersPerCard = Math.max(1, Math.ceil(config.workers / Math.max(1, cards.length)));
    this.#config = { ...withoutSecrets(config), workersPerCard };
    this.#options = options;
    this.#idle = new IdleWorkers({ count: Math.max(1, config.workers), keepAliveMs: config.modelKeepAliveMs });
    this.#rota = new CardRota(cards);
  }

  /**
   * Runs a task to its end.
   * @returns the finished images in order (none for a task that makes no images)
   * @throws TaskFailedError with the worker's own code; WorkerCrashedError; TaskTimeoutError; CancelledError;
   * UnforeseenError
   */
  async run(task: Task, hooks: TaskHooks = {}): Promise<readonly ImageResult[]> {
    const scratch = await mkdtemp(join(scratchParent(task), '.hiresfix-'));
    const timeout = AbortSignal.timeout(this.#config.jobTimeoutMs);
    const signal = hooks.signal ? AbortSignal.any([hooks.signal, timeout]) : timeout;
    try {
      return await new LadderRun({ task, scratch, hooks }, (work, workerHooks) =>
        this.#runOnWorker(work, signal, workerHooks),
      ).run();
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
    await this.#forkAhead()?.ready;
  }

  /** Kills every worker; tasks that run fail as cancelled. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([this.#idle.close(), ...[...this.#running].map((worker) => worker.kill())]);
  }

  async #runOnWorker(work: Work, signal: AbortSignal, hooks: WorkerHooks): Promise<FailedRun | undefined> {
    signal.throwIfAborted();
    const model = modelWanted(work.task);
    if (model !== undefined) await this.#idle.makeRoomFor(model, this.#running.size);
    const worker = this.#take(model);
    this.#running.add(worker);
    try {
      const message = { type: 'start', ...work, config: this.#config } as const;
      const { hang = HANG_LIMITS } = this.#options;
      const { failed, rest } = await runOnWorker(worker, { message, signal, hooks, hang });
      if (failed) this.#assertOpen();
      if (rest && !this.#mayWait(worker, rest, model)) await worker.kill();
      return failed;
    } finally {
      this.#running.delete(worker);
      if (!this.#isClosed && this.#options.isBackground) this.#forkAhead();
    }
  }

  /** Puts a worker that is done among those that wait. Where each task has a pool of its own, there is no next one. */
  #mayWait(worker: WorkerProcess, rest: WorkerRest, model: string | undefined): boolean {
    return !this.#isClosed && this.#options.isBackground && this.#idle.add(worker, rest, model);
  }

  /** One that waits and fits, else a new worker. */
  #take(model: string | undefined): WorkerProcess {
    this.#assertOpen();
    const waiting = this.#idle.take(model);
    if (waiting) return waiting;
    try {
      return this.#fork();
    } catch (cause) {
      const detail = cause instanceof Error ? cause.message : String(cause);
      throw new WorkerCrashedError(`the worker process could not be started: ${detail}`, { cause });
    }
  }

  #fork(): WorkerProcess {
    const card = this.#rota.next();
    const worker = new WorkerProcess(this.#options.isBackground, card);
    this.#rota.hold(card, worker.exited);
    return worker;
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new CancelledError('the service is shutting down');
  }

  /** Where that fails the next task forks its own, and tells. */
  #forkAhead(): WorkerProcess | undefined {
    if (this.#idle.hasFree) return undefined;
    try {
      const spare = this.#fork();
      this.#idle.addNew(spare);
      return spare;
    } catch {
      return undefined;
    }
  }
}

interface Work {
  readonly task: Task;
  readonly rung: Rung;
  readonly scratch: string;
}

type WorkerHooks = Parameters<typeof runOnWorker>[1]['hooks'];

/** One task's way down the ladder: worker after worker, and what has come of them so far. */
class LadderRun {
  readonly #of: { readonly task: Task; readonly scratch: string; readonly hooks: TaskHooks };
  readonly #runOnWorker: (work: Work, hooks: WorkerHooks) => Promise<FailedRun | undefined>;
  readonly #results = new Map<number, ImageResult>();
  readonly #failed = new Set<number>();
  readonly #fallbacks: Pick<LowerRung, 'fallback' | 'image'>[] = [];

  constructor(
    of: { readonly task: Task; readonly scratch: string; readonly hooks: TaskHooks },
    run: (work: Work, hooks: WorkerHooks) => Promise<FailedRun | undefined>,
  ) {
    this.#of = of;
    this.#runOnWorker = run;
  }

  async run(): Promise<readonly ImageResult[]> {
    const { task, scratch } = this.#of;
    let rung: Rung = { excludedDevices: [], finished: [] };
    let lost = 0;
    for (;;) {
      const failed = await this.#runOnWorker({ task, rung, scratch }, this.#workerHooks());
      if (!failed) return [...this.#results.values()].sort((a, b) => a.index - b.index);
      if (failed.hasStarted) rung = this.#next(rung, failed);
      else if (++lost === LOST_WORKERS) {
        throw new WorkerCrashedError(`the worker process could not be started: it ${failed.reason}`);
      }
    }
  }

  /** A rung further down, or past an image that no rung is left for. Throws where nothing of the task is left to try. */
  #next(rung: Rung, failed: FailedRun): Rung {
    const { failure, image, reason, isBesideOther = false, placing = [] } = failed;
    const mayReplace = [...(rung.mayReplace ?? []), ...placing];
    const lower = nextRung({ ...rung, finished: this.#finished() }, failed);
    const isOneByOne = rung.isOneByOne === true || isBesideOther;
    if (lower) {
      this.#fallbacks.push(lower);
      return { ...lower.rung, isOneByOne, mayReplace };
    }
    if (failure === undefined && isBesideOther) return { ...rung, finished: this.#finished(), isOneByOne, mayReplace }; // which of the two was it?
    if (image === undefined || !isOfImage(failed)) throw failure ? thrown(failure) : crashed(reason);
    this.#fail(image, failure ?? crashed(reason));
    return { ...rung, finished: this.#finished(), mayReplace };
  }

  #workerHooks(): WorkerHooks {
    const { hooks } = this.#of;
    return {
      onProgress: (progress) => hooks.onProgress?.(progress),
      onResult: (result) => {
        const own = this.#fallbacks.filter(({ image }) => image === undefined || image === result.index);
        const fallbacks = [...own.map(({ fallback }) => fallback), ...result.info.fallbacks];
        const told = { ...result, info: { ...result.info, fallbacks } };
        this.#results.set(result.index, told);
        hooks.onResult?.(told);
      },
      onImageFailed: (index, failure) => this.#fail(index, failure),
    };
  }

  #fail(index: number, reason: Failure | WorkerCrashedError): void {
    const { hooks } = this.#of;
    const isCrash = reason instanceof WorkerCrashedError;
    if (!hooks.onImageFailed) throw isCrash ? reason : thrown(reason);
    this.#failed.add(index);
    hooks.onImageFailed(index, isCrash ? reason : new TaskFailedError(reason));
  }

  #finished(): readonly number[] {
    return [...this.#results.keys(), ...this.#failed];
  }
}

/** On the same file system as the results, so that finished ones can be renamed into place. */
function scratchParent(task: Task): string {
  const [image] = 'images' in task ? task.images : [];
  const stem = typeof image === 'string' ? undefined : image?.outputStem;
  return stem === undefined ? tmpdir() : dirname(stem);
}

function thrown(failure: Failure): Error {
  return failure.code === INTERNAL_ERROR.code ? new UnforeseenError(failure) : new TaskFailedError(failure);
}

function crashed(reason: string): WorkerCrashedError {
  return new WorkerCrashedError(`the worker process ${reason}`);
}
