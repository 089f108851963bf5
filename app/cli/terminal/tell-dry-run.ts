import type { Config } from '../../config.ts';
import { printable } from '../../errors.ts';
import type { ForeseeableTask, ForeseenResult } from '../../processing/dry-run/dry-run.ts';
import { dryRun } from '../../processing/dry-run/dry-run.ts';
import type { NeededDownload } from '../../processing/dry-run/noted-models.ts';
import type { FindFacesTask } from '../../processing/tasks.ts';
import type { ImageFlags } from '../batch-plan.ts';
import type { WorkedFiles } from './batch-report.ts';
import { notesOf, openOutcome, reportBatch } from './batch-report.ts';
import { UsageError } from '../errors.ts';

/**
 * Tells, of each input, what a command would make of it and where, what it would fetch for that, and what it would refuse.
 * @throws UsageError; what is wrong with all images; the refusal of the only image, or BatchFailedError
 */
export async function tellDryRun(
  files: WorkedFiles,
  task: ForeseeableTask | FindFacesTask,
  { flags, config }: { readonly flags: ImageFlags; readonly config: Config },
): Promise<void> {
  if (flags.server !== undefined) {
    throw new UsageError('--dry-run: does not go with --server, whose models and limits are not known here');
  }
  if (task.kind === 'find-faces') throw new UsageError('--dry-run: goes with commands that make images');
  const { outcome, ...told } = openOutcome<ForeseenResult>(files);
  await dryRun(task, config, told);
  reportBatch(outcome, {
    isJson: flags.json === true,
    document: ({ file, ...foreseen }) => ({ output: file, would_be: { ...foreseen, index: undefined } }),
    text: (result, input) => `${printable(input)} -> ${printable(result.file)}  ${summary(result)}`,
  });
}

function summary({ input, output, upscaler, steps, models, downloads, fallbacks, warnings }: ForeseenResult): string {
  const size = `${input.width}x${input.height} -> ${output.width}x${output.height}`;
  const by = [upscaler ?? steps?.join(', '), models.length > 0 ? `(${models.join(', ')})` : undefined];
  const notes = notesOf({ fallbacks, warnings: [...warnings, ...downloads.map(downloadNote)] });
  return `would be ${size}, ${by.filter((part) => part !== undefined).join(' ')}${notes}`;
}

function downloadNote({ file, bytes }: NeededDownload): string {
  return `${file} would be downloaded first: ${bytes === null ? 'its size is not published' : `${bytes} bytes`}`;
}
