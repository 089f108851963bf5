import type { Config } from '../config.ts';
import type { ImageResult } from '../processing/result.ts';
import type { FaceTask, FindFacesTask, HiresFixTask, ImagesTask, RestoreTask } from '../processing/tasks.ts';
import type { Task } from '../worker/protocol.ts';
import type { BatchOutcome, WorkedFiles } from './terminal/batch-report.ts';
import { openOutcome } from './terminal/batch-report.ts';
import { interruptible } from './interruption.ts';
import { ProgressBar } from './terminal/progress-bar.ts';
import type { RemoteCall } from './remote/run-remotely.ts';
import type { TaskRunner } from './task-runner.ts';

/** A command that makes images: what the flags ask for, here and of a service. */
export interface ImageCommand {
  readonly config: Config;
  /** What is to be done to images whose results have their places. */
  readonly createTask: (images: ImagesTask) => Promise<HiresFixTask | FaceTask | FindFacesTask | RestoreTask>;
  readonly call: RemoteCall;
}

/** What is done to images, and who does it. */
export interface ImageWork {
  readonly task: ImagesTask & Task;
  readonly run: TaskRunner;
}

/**
 * Works on the images of a task, with a bar on the terminal. Where it is interrupted, or something is wrong with more than one
 * image, it ends early, and the outcome has the error.
 */
export async function workOnImages(
  files: WorkedFiles,
  { task, run }: ImageWork,
  { isBarWanted }: { readonly isBarWanted: boolean },
): Promise<BatchOutcome> {
  const { outcome, ...told } = openOutcome<ImageResult>(files);
  if (task.images.length === 0) return outcome;
  const bar = new ProgressBar(isBarWanted);
  try {
    await interruptible((signal) => run(task, { ...told, signal, onProgress: (progress) => bar.update(progress) }));
    return outcome;
  } catch (thrown) {
    return { ...outcome, error: thrown instanceof Error ? thrown : new Error(String(thrown)) };
  } finally {
    bar.stop();
  }
}
