/**
 * The entry of a worker process: one task in, progress and results out, then the process ends. All that touches pixels or
 * networks happens here, never in the server.
 */
import { createWorkerContainer, HIRES_FIX_PROCESSOR } from '../worker-container.ts';
import { HiresFixError } from '../errors.ts';
import { InferenceError } from '../inference/errors.ts';
import { runNetwork } from '../processing/run-network.ts';
import type { RunningOn } from '../processing/image-upscaler.ts';
import type { WorkProgress } from '../processing/progress.ts';
import type { HiresFixTask } from '../processing/tasks.ts';
import type { Failure, StartMessage, WorkerMessage } from './protocol.ts';

/** Progress goes out at most this often, but for what ends a stage or a tile. */
const PROGRESS_MS = 50;

let running: RunningOn | undefined;

process.once('message', (message) => void work(message as StartMessage));
process.once('disconnect', () => process.exit(1)); // the server is gone: nobody wants the result
send({ type: 'ready' });

async function work(message: StartMessage): Promise<void> {
  try {
    const { task } = message;
    if (task.kind === 'run-network') await runNetwork(task, 'cpu');
    else await hiresFix(task, message);
    finish({ type: 'done' });
  } catch (error) {
    finish({ type: 'failed', failure: failureOf(error) });
  }
}

async function hiresFix(task: HiresFixTask, { attempt, scratch, config }: StartMessage): Promise<void> {
  const processor = createWorkerContainer(config).resolve(HIRES_FIX_PROCESSOR);
  await processor.process(task, attempt, scratch, {
    onProgress: throttled((progress) => send({ type: 'progress', progress })),
    onRunning: (on) => {
      running = on;
      send({ type: 'running', on });
    },
    onResult: (result) => send({ type: 'result', result }),
    onImageFailed: (index, error) => send({ type: 'image-failed', index, failure: failureOf(error) }),
  });
}

function throttled(report: (progress: WorkProgress) => void): (progress: WorkProgress) => void {
  let last = 0;
  return (progress) => {
    const now = performance.now();
    const isStep = progress.tile !== undefined || progress.stageProgress === 0 || progress.stageProgress === 1;
    if (!isStep && now - last < PROGRESS_MS) return;
    last = now;
    report(progress);
  };
}

function failureOf(error: unknown): Failure {
  if (error instanceof InferenceError) {
    const { code, message, isOutOfMemory } = error;
    if (isOutOfMemory) return { code, message, remedy: 'memory' };
    return running && running.device !== 'cpu' ? { code, message, remedy: 'device' } : { code, message };
  }
  if (error instanceof HiresFixError) return { code: error.code, message: error.message };
  if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') {
    return { code: 'ERR_DISK_FULL', message: `no space is left on the disk for the result (${error.message})` };
  }
  return { code: 'ERR_INTERNAL', message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}

function send(message: WorkerMessage): void {
  process.send?.(message);
}

/** The last message must be out before the process is. */
function finish(message: WorkerMessage): void {
  process.send?.(message, () => process.exit(0));
}
