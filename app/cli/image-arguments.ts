import type { Command } from 'commander';
import { Option } from 'commander';
import { formatLabels } from '../options/output-formats.ts';
import { ASKED_FORMATS } from '../options/output-options.ts';

/** Adds what every command that makes images takes: its inputs, and where the results go. */
export function addImageArguments(command: Command): Command {
  return addInputs(command).requiredOption(
    '-o, --output <path>',
    'result file (for one input) or folder, created if missing; - is stdout',
  );
}

/** Adds the images that a command works on. */
export function addInputs(command: Command): Command {
  return command.argument('<input...>', 'image files, folders or glob patterns; - is stdin');
}

/** Adds the options of the results, and those of every command that works on images. */
export function addResultOptions(command: Command, suffix: string): Command {
  command
    .optionsGroup('Results:')
    .option(`--format <${ASKED_FORMATS.join('|')}>`, 'format of the results; jpg means jpeg', 'auto')
    .option('--quality <1..100>', `quality of ${formatLabels('and', ({ quality }) => quality !== undefined)}`)
    .option('--lossless', `keep every sample exactly, in ${formatLabels('or', ({ losesNothing }) => losesNothing)}`)
    .option('--no-lossless', 'allow loss, even if the input is lossless')
    .addOption(
      new Option('--frames <which>', 'frames of an animated GIF, WebP or PNG')
        .choices(['first', 'all'])
        .default('first'),
    )
    .addOption(
      new Option('--metadata <mode>', 'EXIF, XMP, DPI and PNG texts').choices(['keep', 'strip']).default('keep'),
    )
    .option('--suffix <text>', 'added to the name of each result in a folder', suffix)
    .option('--overwrite', 'replace existing files')
    .option('--skip-existing', 'skip images whose results exist and are no older')
    .optionsGroup('Running:')
    .option('--watch', 'also process images that arrive in the folders, until Ctrl-C; skips those with results')
    .option('--dry-run', 'say what would be done, without writing or downloading anything');
  return addCommonOptions(command);
}

/** Adds the options of every command that works on images: who does the work, and how it is told of. */
export function addCommonOptions(command: Command): Command {
  return command
    .option('--server <url>', 'let a running service do the work; its key, if it needs one, in HIRESFIX_API_KEY')
    .option('--json', 'print one JSON document on stdout');
}

/** Adds examples below the help of a command, each a line without `hiresfix`. */
export function addExamples(command: Command, examples: readonly string[]): Command {
  return command.addHelpText('after', `\nExamples:\n${examples.map((line) => `  hiresfix ${line}`).join('\n')}`);
}
