import type { Config } from '../config.ts';
import type { FaceTask, FindFacesTask, HiresFixTask, ImagesTask, RestoreTask } from '../processing/tasks.ts';
import type { Task } from '../worker/protocol.ts';
import type { BatchOutcome } from './batch-report.ts';
import { imageReport, reportBatch } from './batch-report.ts';
import type { ImageFlags } from './images-task.ts';
import type { InputFile } from './input-files.ts';
import { inputFiles } from './input-files.ts';
import { interruption } from './interruption.ts';
import { ProgressBar } from './progress-bar.ts';
import type { RemoteCall } from './remote/run-remotely.ts';
import type { TaskRunner } from './task-runner.ts';
import { taskRunner } from './task-runner.ts';

/** A command that makes images: what the flags ask for, here and of a service. */
export interface ImageCommand {
  readonly config: Config;
  readonly createTask: (files: readonly InputFile[]) => Promise<HiresFixTask | FaceTask | FindFacesTask | RestoreTask>;
  readonly call: RemoteCall;
}

/** What is done to images, and who does it. */
export interface ImageWork {
  readonly createTask: (files: readonly InputFile[]) => Promise<ImagesTask & Task>;
  readonly run: TaskRunner;
}

/**
 * Makes an image of each input, and tells what has come of them; of a dry run, what would come of them.
 * @throws UsageError; what ended the work early; the failure of the only image, or BatchFailedError
 */
export async function runImageCommand(
  inputs: readonly string[],
  flags: ImageFlags,
  { config, createTask, call }: ImageCommand,
): Promise<void> {
  const isJson = flags.json === true;
  if (flags.dryRun === true) {
    const { tellDryRun } = await import('./tell-dry-run.ts'); // what runs networks takes its time to load
    await tellDryRun(inputs, flags, { config, createTask });
    return;
  }
  const work = { createTask, run: taskRunner(flags, config, call) };
  reportBatch(await workOnImages(inputs, work, { isBarWanted: !isJson }), { ...imageReport, isJson });
}

/**
 * Works on all inputs, with a bar on the terminal. Where it is interrupted, or something is wrong with more than one image, it
 * ends early, and the outcome has the error.
 * @throws UsageError and what else `createTask` throws, before any work
 */
export async function workOnImages(
  inputs: readonly string[],
  { createTask, run }: ImageWork,
  { isBarWanted }: { readonly isBarWanted: boolean },
): Promise<BatchOutcome> {
  const files = await inputFiles(inputs);
  const task = await createTask(files);
  const outcome: BatchOutcome = { files, results: new Map(), failures: new Map() };
  const bar = new ProgressBar(isBarWanted);
  const interrupt = interruption();
  try {
    await run(task, {
      signal: interrupt.signal,
      onProgress: (progress) => bar.update(progress),
      onResult: (result) => outcome.results.set(result.index, result),
      onImageFailed: (index, failure) => outcome.failures.set(index, failure),
    });
    return outcome;
  } catch (thrown) {
    return { ...outcome, error: thrown instanceof Error ? thrown : new Error(String(thrown)) };
  } finally {
    interrupt.stop();
    bar.stop();
  }
}
