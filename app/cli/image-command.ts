import type { ImageFlags } from './batch-plan.ts';
import { batchPlan, makeFolders } from './batch-plan.ts';
import { imageReport, notesIn, reportBatch, throwFailure } from './terminal/batch-report.ts';
import { printable } from '../errors.ts';
import { UsageError } from './errors.ts';
import type { FoundFiles } from './inputs/input-files.ts';
import { findInputs } from './inputs/input-files.ts';
import { DASH, PipedPictures } from './inputs/piped-pictures.ts';
import { taskRunner } from './task-runner.ts';
import type { ImageCommand } from './work-on-images.ts';
import { workOnImages } from './work-on-images.ts';

/**
 * Makes an image of each input, and tells what has come of them; of a dry run, what would come of them. With `--watch`, goes on
 * with what appears, until it is interrupted.
 * @throws UsageError; what ended the work early; the failure of the only image, or BatchFailedError
 */
export async function runImageCommand(
  inputs: readonly string[],
  flags: ImageFlags,
  command: ImageCommand,
): Promise<void> {
  if (flags.watch === true) {
    const { watchImages } = await import('./watch/watch-images.ts');
    return watchImages(inputs, flags, command);
  }
  const pipes = new PipedPictures();
  try {
    if (flags.output === DASH) assertMayPipe(flags);
    const found = await findInputs(inputs, { pipes });
    if (flags.output === DASH) await pipeResult(found, flags, { ...command, pipes });
    else await makeImages(found, flags, command);
  } finally {
    pipes.remove();
  }
}

async function makeImages(found: FoundFiles, flags: ImageFlags, command: ImageCommand): Promise<void> {
  const isJson = flags.json === true;
  const plan = await batchPlan(found, flags);
  const task = await command.createTask(plan.task);
  if (flags.dryRun === true) {
    const { tellDryRun } = await import('./terminal/tell-dry-run.ts'); // what runs networks takes its time to load
    return tellDryRun(plan, task, { flags, config: command.config });
  }
  await makeFolders(plan.task);
  const run = taskRunner(flags, command.config, command.call);
  reportBatch(await workOnImages(plan, { task, run }, { isBarWanted: !isJson }), { ...imageReport, isJson });
}

/** Makes one image, and writes it and nothing else to stdout. */
async function pipeResult(
  found: FoundFiles,
  flags: ImageFlags,
  { pipes, config, call, createTask }: ImageCommand & { readonly pipes: PipedPictures },
): Promise<void> {
  if (found.files.length > 1) throw new UsageError(`--output -: expected one picture, got ${found.files.length}`);
  const plan = await batchPlan(found, {
    ...flags,
    output: pipes.folder(),
    suffix: '-result',
    skipExisting: false,
  });
  const task = await createTask(plan.task);
  const outcome = await workOnImages(plan, { task, run: taskRunner(flags, config, call) }, { isBarWanted: true });
  throwFailure(outcome);
  for (const { file, info } of outcome.results.values()) {
    await pipes.deliver(file);
    for (const note of notesIn(info)) process.stderr.write(`hiresfix: note: ${printable(note)}\n`);
  }
}

function assertMayPipe({ json, dryRun }: ImageFlags): void {
  if (json === true || dryRun === true) {
    throw new UsageError(
      `--${json === true ? 'json' : 'dry-run'}: does not go with --output -, where the picture is all that is written`,
    );
  }
  if (process.stdout.isTTY) {
    throw new UsageError(
      '--output -: expected a pipe or a file after it, as in `hiresfix upscale in.png -o - > out.png`',
    );
  }
}
