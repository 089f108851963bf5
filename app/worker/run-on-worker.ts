import type { WorkProgress } from '../processing/progress.ts';
import type { ImageResult, RunningOn } from '../processing/result.ts';
import type { FailedRun } from './fallback-ladder.ts';
import type { HangLimits } from './hang-watch.ts';
import { HangWatch } from './hang-watch.ts';
import type { Failure, StartMessage, WorkerMessage, WorkerRest } from './protocol.ts';
import type { WorkerExit, WorkerProcess } from './worker-process.ts';

export interface WorkerRunOptions {
  readonly message: StartMessage;
  readonly signal: AbortSignal;
  readonly hang: HangLimits;
  readonly hooks: {
    onProgress(progress: WorkProgress): void;
    onResult(result: ImageResult): void;
    /** May throw, which ends the run with that error. */
    onImageFailed(index: number, failure: Failure): void;
  };
}

/** What a worker has said of where it is. */
interface Position {
  hasStarted: boolean;
  image?: number;
  /** Images that were begun and have not ended. */
  readonly unfinished: Set<number>;
  /** Images whose result may be in place, though it was not told. */
  readonly placing: Set<number>;
  on?: RunningOn;
}

/** How a task ended on a worker: done, if it has not failed; the process lives on if it is at rest. */
export interface WorkerRun {
  readonly failed?: FailedRun;
  readonly rest?: WorkerRest;
}

/**
 * One worker, one task. The process is gone when this returns, however it ends, unless the task is done and it says that it may
 * take another.
 * @throws the signal's reason, or what a hook threw
 */
export async function runOnWorker(worker: WorkerProcess, options: WorkerRunOptions): Promise<WorkerRun> {
  const { hang, signal } = options;
  const position: Position = { hasStarted: false, unfinished: new Set(), placing: new Set() };
  const abortion = whenAborted(signal);
  const hung = new AbortController();
  const watch = new HangWatch(worker.pid ?? 0, hang, () => {
    hung.abort();
    void worker.kill();
  });
  let isAtRest = false;
  try {
    const end = await Promise.race([converse(worker, options, { position, watch }), abortion.promise]);
    if (end.type === 'done') {
      isAtRest = end.rest !== undefined;
      return end;
    }
    if (end.type === 'failed')
      return { failed: failedAt(position, { failure: end.failure, reason: end.failure.message }) };
    const exit = await worker.exited;
    return { failed: failedAt(position, { reason: hung.signal.aborted ? 'hung and was killed' : describeExit(exit) }) };
  } finally {
    abortion.forget();
    watch.stop();
    if (!isAtRest) await worker.kill();
  }
}

function failedAt(position: Position, how: Pick<FailedRun, 'failure' | 'reason'>): FailedRun {
  const { unfinished, placing, ...at } = position;
  return { ...at, ...how, placing: [...placing], ...(unfinished.size > 1 && { isBesideOther: true }) };
}

/** The last that is heard of a task. */
type End = Extract<WorkerMessage, { readonly type: 'done' | 'failed' }> | { readonly type: 'exited' };

/** Hands over the task when the worker is up, and listens until it is done, has failed or is gone. */
async function converse(
  worker: WorkerProcess,
  { message, hooks }: WorkerRunOptions,
  { position, watch }: { readonly position: Position; readonly watch: HangWatch },
): Promise<End> {
  if (!(await worker.ready)) return { type: 'exited' };
  return new Promise((resolve, reject) => {
    void worker.exited.then(() => resolve({ type: 'exited' }));
    worker.start(message, (received) => {
      watch.sign();
      try {
        follow(received, position);
        handle(received, hooks, resolve);
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  });
}

function follow(message: WorkerMessage, position: Position): void {
  position.hasStarted = true;
  if (message.type === 'running') position.on = message.on;
  if (message.type === 'placing') position.placing.add(message.index);
  if (message.type === 'result') position.unfinished.delete(message.result.index);
  if (message.type === 'image-failed') position.unfinished.delete(message.index);
  if (message.type !== 'image') return;
  position.unfinished.add(message.index);
  position.image = message.index;
  delete position.on; // where the image before it ran says nothing of this one
}

function handle(message: WorkerMessage, hooks: WorkerRunOptions['hooks'], resolve: (end: End) => void): void {
  if (message.type === 'progress') hooks.onProgress(message.progress);
  else if (message.type === 'result') hooks.onResult(message.result);
  else if (message.type === 'image-failed') hooks.onImageFailed(message.index, message.failure);
  else if (message.type === 'failed' || message.type === 'done') resolve(message);
}

/** Rejects with the signal's reason, also where that has been given already. `forget` ends the listening. */
function whenAborted(signal: AbortSignal): { readonly promise: Promise<never>; forget(): void } {
  let onAbort = (): void => undefined;
  const promise = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason as Error);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  promise.catch(() => undefined); // nobody may be waiting for it yet
  return { promise, forget: () => signal.removeEventListener('abort', onAbort) };
}

/** Lines by which the runtime says why it died, among those that say where. */
const TELLING = /^\w*Error\b|FATAL ERROR|terminate called|what\(\)|bad_alloc/;

function describeExit({ code, signal, stderr }: WorkerExit): string {
  const how = signal === null ? `ended with exit code ${code ?? 'unknown'}` : `was killed by ${signal}`;
  const lines = stderr.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('Node.js v'));
  const line = lines.find((text) => TELLING.test(text)) ?? lines.at(-1) ?? '';
  return line === '' ? how : `${how}: ${line.trim().slice(0, 200)}`;
}
