import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { HiresFixError, printable } from '../../errors.ts';
import { formatOfExtension } from '../../options/output-formats.ts';
import { CancelledError } from '../../worker/errors.ts';
import type { ImageFlags } from '../batch-plan.ts';
import { batchPlan, makeFolders, makeResultFolder } from '../batch-plan.ts';
import type { BatchOutcome } from '../terminal/batch-report.ts';
import { imageReport, tellBatch } from '../terminal/batch-report.ts';
import { InterruptedError, UsageError } from '../errors.ts';
import type { FoundFiles } from '../inputs/input-files.ts';
import { findInputs, nameOf } from '../inputs/input-files.ts';
import type { LeftOut } from '../inputs/left-out.ts';
import { withoutOwnResults } from '../inputs/own-results.ts';
import { DASH } from '../inputs/piped-pictures.ts';
import { interruptible } from '../interruption.ts';
import type { TaskRunner } from '../task-runner.ts';
import { taskRunner } from '../task-runner.ts';
import type { ImageCommand } from '../work-on-images.ts';
import { workOnImages } from '../work-on-images.ts';
import { FolderChanges } from './folder-changes.ts';
import type { SettledFile } from './settled-files.ts';
import { SETTLE_MS, SettledFiles } from './settled-files.ts';

/** How often folders are looked at that tell of no change. */
const POLL_MS = 2000;
/** After which a service that could not be reached is tried again. */
const RETRY_MS = 5000;

/**
 * Makes an image of each picture that is in folders, and of those that come, once they are completely written, until it is
 * interrupted. What cannot be made is told, and tried again when its file changes; what has its result is left as it is.
 * @throws InterruptedError; UsageError before any work; what is wrong with all images
 */
export async function watchImages(inputs: readonly string[], flags: ImageFlags, command: ImageCommand): Promise<void> {
  await assertWatchable(inputs, flags);
  const nothing = await batchPlan({ files: [], leftOut: [] }, flags);
  await command.createTask(nothing.task); // what is wrong with the flags is told at once
  await makeResultFolder(flags.output);
  await interruptible((signal) => new ImageWatch(inputs, flags, command).run(signal));
}

async function assertWatchable(inputs: readonly string[], { output, dryRun }: ImageFlags): Promise<void> {
  if (inputs.includes(DASH) || output === DASH) throw new UsageError('--watch: does not go with pipes');
  if (dryRun === true) throw new UsageError('--watch: does not go with --dry-run');
  for (const input of inputs) {
    if (!(await isFolder(input))) throw new UsageError(`--watch: expected folders, ${input} is none`);
  }
  const isName = formatOfExtension(extname(output)) !== undefined && !(await isFolder(output));
  if (isName) throw new UsageError(`--watch: expected a folder for the results, got --output ${output}`);
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true;
}

class ImageWatch {
  readonly #inputs: readonly string[];
  readonly #flags: ImageFlags;
  readonly #command: ImageCommand;
  readonly #run: TaskRunner;
  readonly #files = new SettledFiles();
  /** Names of pictures by their results. */
  readonly #made = new Map<string, string>();
  readonly #toldLeftOut = new Set<string>();
  #toldError: string | undefined;
  readonly #counts = { made: 0, skipped: 0, failed: 0 };

  constructor(inputs: readonly string[], flags: ImageFlags, command: ImageCommand) {
    this.#inputs = inputs;
    this.#flags = { ...flags, skipExisting: true };
    this.#command = command;
    this.#run = taskRunner(flags, command.config, command.call);
  }

  /** @throws CancelledError once `signal` aborts; what is wrong with all images */
  async run(signal: AbortSignal): Promise<void> {
    const changes = new FolderChanges(this.#inputs);
    process.stderr.write(`hiresfix: watching ${this.#inputs.map(printable).join(', ')} for pictures; Ctrl-C ends\n`);
    try {
      while (!signal.aborted) await changes.next(await this.#look(), signal);
    } finally {
      changes.close();
    }
    const { made, skipped, failed } = this.#counts;
    throw new CancelledError(`stopped watching: ${made} made, ${skipped} there already, ${failed} failed`);
  }

  /** Works on what has settled. Returns after how many milliseconds to look again at the latest. */
  async #look(): Promise<number> {
    const found = await this.#find();
    const { settled, isWaiting } = await this.#files.look(found.files);
    if (settled.length === 0) return isWaiting ? SETTLE_MS / 2 : POLL_MS;
    const outcome = await this.#work(settled, found.leftOut);
    return outcome.error ? RETRY_MS : SETTLE_MS / 2;
  }

  /** What results are among the files is no picture to work on, by its name or since it was made here. */
  async #find(): Promise<FoundFiles> {
    const found = await findInputs(this.#inputs, { mayBeEmpty: true });
    const place = { folder: this.#flags.output, suffix: this.#flags.suffix };
    const { files, leftOut } = await withoutOwnResults(found, place);
    return { files: files.filter(({ path }) => !this.#made.has(path)), leftOut };
  }

  async #work(settled: readonly SettledFile[], leftOut: readonly LeftOut[]): Promise<BatchOutcome> {
    const isJson = this.#flags.json === true;
    const untold = leftOut.filter(({ path }) => !this.#toldLeftOut.has(path));
    const found = { files: settled.map(({ file }) => file), leftOut: untold };
    const plan = await batchPlan(found, this.#flags, this.#made);
    const task = await this.#command.createTask(plan.task);
    await makeFolders(plan.task);
    const outcome = await workOnImages(plan, { task, run: this.#run }, { isBarWanted: !isJson });
    for (const { path } of untold) this.#toldLeftOut.add(path);
    this.#note(settled, outcome);
    tellBatch(outcome, { ...imageReport, isJson, isOneOfMany: true });
    this.#goOn(outcome.error);
    return outcome;
  }

  /** After a service that cannot be reached, or a machine that fails, the next try may do better. */
  #goOn(error: Error | undefined): void {
    if (error instanceof InterruptedError) return;
    if (error && !(error instanceof HiresFixError && ['service', 'machine'].includes(error.fault))) throw error;
    if (error && error.message !== this.#toldError)
      process.stderr.write(`hiresfix: ${printable(error.message)}; trying again\n`);
    this.#toldError = error?.message;
  }

  #note(settled: readonly SettledFile[], { files, results, skipped, failures }: BatchOutcome): void {
    for (const [index, { file }] of results) this.#made.set(file, nameAt(files, index));
    this.#counts.made += results.size;
    this.#counts.skipped += skipped.size;
    this.#counts.failed += failures.size;
    settled.forEach((one, index) => {
      if (results.has(index) || skipped.has(index) || failures.has(index)) this.#files.done(one);
    });
  }
}

function nameAt(files: FoundFiles['files'], index: number): string {
  const file = files[index];
  return file ? nameOf(file) : '';
}
