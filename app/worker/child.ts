/**
 * The entry of a worker process: a task in, progress and results out. Then the process ends, unless nothing of the task is left in it
 * but, where models are kept, its network: it waits for the next then. All that touches pixels or networks happens here, never in
 * the server.
 */
import { rmSync } from 'node:fs';
import { hasLoadedRuntime } from '../inference/session.ts';
import { startDevice } from '../processing/networks/forms/start-device.ts';
import { ModelSlot } from '../processing/networks/model-slot.ts';
import { WorkPace } from '../processing/work-pace.ts';
import { createProcessors } from '../worker-container.ts';
import type { WorkProgress } from '../processing/progress.ts';
import type { RunningOn } from '../processing/result.ts';
import type { ProcessorHooks } from '../processing/each-image.ts';
import { failureOf } from './failure-of.ts';
import { modelWanted } from './model-wanted.ts';
import { processTask } from './processors.ts';
import type { StartMessage, Task, WorkerMessage, WorkerRest } from './protocol.ts';

/** Progress is sent at most this often, in ms; the beginning and end of a stage and of a tile are always sent. */
const PROGRESS_MS = 50;

/** Bytes by which a process has grown when collecting its garbage is worth the milliseconds. */
const WORTH_COLLECTING = 8 * 2 ** 20;

/** The network of an upscale or of a restoration's step: all that outlives a task. */
const slot = new ModelSlot();
let running: RunningOn | undefined;
let scratch: string | undefined;
let isUnharmed = true;
/** Bytes that this process held after garbage was collected last. */
let heldWhenClean = 0;

// A terminal or a service manager signals the server and its workers alike; only the server decides when work ends.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
process.on('message', (message) => void work(message as StartMessage));
process.once('disconnect', () => {
  if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true });
  process.exit(1); // the server is gone: nobody wants the result
});
send({ type: 'ready' });

async function work(message: StartMessage): Promise<void> {
  scratch = message.scratch;
  send({ type: 'started' });
  try {
    const { task, rung, config } = message;
    if ('options' in task && modelWanted(task) !== undefined) {
      startDevice(config, { ...rung, options: task.kind === 'extras' ? {} : task.options });
    }
    await processTask(createProcessors(config, slot), task, { rung, scratch, hooks: hooks(task) });
    const rest = 'images' in task ? restAfter() : undefined;
    if (rest) takeNext(rest);
    else finish({ type: 'done' });
  } catch (error) {
    finish({ type: 'failed', failure: failureOf(error, running) });
  }
}

/** Nothing where the process must end: a picture failed in it, or memory of a network is left that is of no use to the next task. */
function restAfter(): WorkerRest | undefined {
  if (!isUnharmed || (hasLoadedRuntime() && !slot.isHeld)) return undefined;
  return { residentBytes: process.memoryUsage.rss(), keepsModel: slot.isHeld };
}

function takeNext(rest: WorkerRest): void {
  running = undefined;
  scratch = undefined;
  send({ type: 'done', rest });
  setImmediate(giveBack);
}

/**
 * Collects garbage while the caller reads its answer. Pixels lie outside V8's heap, so that V8 itself puts it off for as long as its own
 * heap is small.
 */
function giveBack(): void {
  if (process.memoryUsage.rss() < heldWhenClean + WORTH_COLLECTING) return;
  globalThis.gc?.();
  heldWhenClean = process.memoryUsage.rss();
}

function hooks({ kind }: Task): ProcessorHooks {
  const pace = new WorkPace({ isDownload: kind === 'download' });
  const report = throttled((progress) => send({ type: 'progress', progress }));
  return {
    onImage: (index) => {
      running = undefined;
      send({ type: 'image', index });
    },
    onProgress: (progress) => report(pace.told(progress, performance.now())),
    onRunning: (on) => {
      running = on;
      send({ type: 'running', on });
    },
    onPlacing: (index) => send({ type: 'placing', index }),
    onResult: (result) => send({ type: 'result', result }),
    onImageFailed: (index, error) => {
      isUnharmed = false;
      send({ type: 'image-failed', index, failure: failureOf(error) });
    },
  };
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

/** A message that cannot be sent is not an error here: the handler of `disconnect` ends the process when the server is gone. */
function send(message: WorkerMessage): void {
  process.send?.(message, () => undefined);
}

/** The last message must be out before the process is. */
function finish(message: WorkerMessage): void {
  process.send?.(message, () => process.exit(0));
}
