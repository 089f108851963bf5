import type { Command } from 'commander';
import { Option } from 'commander';
import type { Config } from '../config.ts';
import { OUTPUT_FORMATS } from '../options/output-options.ts';
import type { Task } from '../worker/protocol.ts';
import type { TaskHooks } from '../worker/worker-pool.ts';
import { WorkerPool } from '../worker/worker-pool.ts';
import type { ImageFlags } from './images-task.ts';
import type { InputFile } from './input-files.ts';
import { inputFiles } from './input-files.ts';
import { interruption } from './interruption.ts';
import { ProgressBar } from './progress-bar.ts';
import type { BatchOutcome } from './upscale-report.ts';
import { reportOutcome } from './upscale-report.ts';

/** A command's work: what the flags ask for, and who does it. */
export interface ImageCommand<T> {
  createTask(files: readonly InputFile[]): Promise<T>;
  run(task: T, hooks: TaskHooks): Promise<unknown>;
}

/** Adds what every command that makes images takes: inputs, where the results go, how they are written and told of. */
export function addImageArguments(command: Command): Command {
  return command
    .argument('<input...>', 'image files, folders or glob patterns')
    .requiredOption('-o, --output <path>', 'a file (for one input), or a folder, which is created');
}

/** Adds the options of the results. */
export function addResultOptions(command: Command, suffix: string): Command {
  return command
    .addOption(new Option('--format <format>', 'format of the results').choices(OUTPUT_FORMATS).default('auto'))
    .option('--quality <1..100>', 'of JPEG, WebP and AVIF')
    .addOption(new Option('--metadata <mode>', 'EXIF, XMP, DPI, PNG texts').choices(['keep', 'strip']).default('keep'))
    .option('--suffix <text>', 'put after the name of each result in a folder', suffix)
    .option('--overwrite', 'replace results that are there')
    .option('--json', 'print one JSON document on stdout');
}

/** Works on all inputs with a bar on the terminal, ends early where it is interrupted, and tells what has come of them. */
export async function runImageCommand<T>(
  inputs: readonly string[],
  flags: ImageFlags,
  work: ImageCommand<T>,
): Promise<void> {
  const files = await inputFiles(inputs);
  const task = await work.createTask(files);
  const isJson = flags.json === true;
  const outcome: BatchOutcome = { results: new Map(), failures: new Map() };
  const bar = new ProgressBar(!isJson);
  const interrupt = interruption();
  let error: Error | undefined;
  try {
    await work.run(task, {
      signal: interrupt.signal,
      onProgress: (progress) => bar.update(progress),
      onResult: (result) => outcome.results.set(result.index, result),
      onImageFailed: (index, failure) => outcome.failures.set(index, failure),
    });
  } catch (thrown) {
    error = thrown instanceof Error ? thrown : new Error(String(thrown));
  }
  interrupt.stop();
  bar.stop();
  reportOutcome(files, outcome, { isJson, error });
}

/** Runs a task here, in a worker process. */
export async function runLocally(config: Config, task: Task, hooks: TaskHooks): Promise<void> {
  const pool = new WorkerPool(config, { isBackground: false });
  try {
    await pool.run(task, hooks);
  } finally {
    await pool.close();
  }
}
