import { once } from 'node:events';
import type { RunningOn } from '../processing/image-upscaler.ts';
import type { WorkProgress } from '../processing/progress.ts';
import type { ImageResult } from '../processing/result.ts';
import type { Defeat } from './fallback-ladder.ts';
import { HangWatch } from './hang-watch.ts';
import type { Failure, StartMessage, WorkerMessage } from './protocol.ts';
import type { WorkerExit, WorkerProcess } from './worker-process.ts';

export interface AttemptOptions {
  readonly message: StartMessage;
  readonly signal: AbortSignal;
  readonly hooks: {
    onProgress(progress: WorkProgress): void;
    onResult(result: ImageResult): void;
    /** May throw, which ends the attempt with that error. */
    onImageFailed(index: number, failure: Failure): void;
  };
}

/**
 * One worker, one task. The process is gone when this returns, however it ends.
 * @returns undefined where the task was done, else how it failed
 * @throws the signal's reason, or what a hook threw
 */
export async function runAttempt(worker: WorkerProcess, options: AttemptOptions): Promise<Defeat | undefined> {
  const { message, signal, hooks } = options;
  const listener = new AbortController();
  let on: RunningOn | undefined;
  const hung = new AbortController();
  const watch = new HangWatch(worker.pid ?? 0, () => {
    hung.abort();
    void worker.kill();
  });
  try {
    const last = new Promise<Failure | 'done'>((resolve, reject) => {
      worker.start(message, (received) => {
        watch.sign();
        try {
          if (received.type === 'running') on = received.on;
          else handle(received, hooks, resolve);
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
    });
    const aborted = once(signal, 'abort', { signal: listener.signal }).then((): never => {
      throw signal.reason;
    });
    const end = await Promise.race([last, worker.exited, aborted]);
    if (end === 'done') return undefined;
    const running = on === undefined ? {} : { on };
    if ('message' in end) return { failure: end, reason: end.message, ...running };
    return { reason: hung.signal.aborted ? 'hung and was killed' : describeExit(await worker.exited), ...running };
  } finally {
    listener.abort();
    watch.stop();
    await worker.kill();
  }
}

function handle(
  message: WorkerMessage,
  hooks: AttemptOptions['hooks'],
  resolve: (end: Failure | 'done') => void,
): void {
  if (message.type === 'progress') hooks.onProgress(message.progress);
  else if (message.type === 'result') hooks.onResult(message.result);
  else if (message.type === 'image-failed') hooks.onImageFailed(message.index, message.failure);
  else if (message.type === 'failed') resolve(message.failure);
  else if (message.type === 'done') resolve('done');
}

function describeExit({ code, signal, stderr }: WorkerExit): string {
  const how = signal === null ? `ended with exit code ${code ?? 'unknown'}` : `was killed by ${signal}`;
  const line = stderr.split('\n').at(-1) ?? '';
  return line === '' ? how : `${how}: ${line.slice(0, 200)}`;
}
