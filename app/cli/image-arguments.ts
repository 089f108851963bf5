import type { Command } from 'commander';
import { Option } from 'commander';
import { formatLabels } from '../options/output-formats.ts';
import { ASKED_FORMATS } from '../options/output-options.ts';

/** Adds what every command that makes images takes: its inputs, and where the results go. */
export function addImageArguments(command: Command): Command {
  return addInputs(command).requiredOption(
    '-o, --output <path>',
    'a file (for one input), or a folder, which is created; - is stdout',
  );
}

/** Adds the images that a command works on. */
export function addInputs(command: Command): Command {
  return command.argument('<input...>', 'image files, folders or glob patterns; - is stdin');
}

/** Adds the options of the results, and those of every command that works on images. */
export function addResultOptions(command: Command, suffix: string): Command {
  command
    .option(`--format <${ASKED_FORMATS.join('|')}>`, 'format of the results; jpg is jpeg', 'auto')
    .option('--quality <1..100>', `of ${formatLabels('and', ({ quality }) => quality !== undefined)}`)
    .option('--lossless', `keep every sample, in ${formatLabels('or', ({ losesNothing }) => losesNothing)}`)
    .option('--no-lossless', 'lose some, also where the image itself does not')
    .addOption(
      new Option('--frames <which>', 'of a GIF, WebP or PNG that moves').choices(['first', 'all']).default('first'),
    )
    .addOption(new Option('--metadata <mode>', 'EXIF, XMP, DPI, PNG texts').choices(['keep', 'strip']).default('keep'))
    .option('--suffix <text>', 'put after the name of each result in a folder', suffix)
    .option('--overwrite', 'replace results that are there')
    .option('--skip-existing', 'leave out images whose results are there and no older')
    .option('--watch', 'go on with pictures that come into the folders, until Ctrl-C; skips what is there')
    .option('--dry-run', 'say what would be done, and write and fetch nothing');
  return addCommonOptions(command);
}

/** Adds the options of every command that works on images: who does the work, and how it is told of. */
export function addCommonOptions(command: Command): Command {
  return command
    .option('--server <url>', 'have a running service do it; its key, if it wants one, in HIRESFIX_API_KEY')
    .option('--json', 'print one JSON document on stdout');
}

/** Adds examples below the help of a command, each a line without `hiresfix`. */
export function addExamples(command: Command, examples: readonly string[]): Command {
  return command.addHelpText('after', `\nExamples:\n${examples.map((line) => `  hiresfix ${line}`).join('\n')}`);
}
