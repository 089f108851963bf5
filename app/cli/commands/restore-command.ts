import type { Command } from 'commander';
import { Option } from 'commander';
import type { Config } from '../../config.ts';
import { FACE_MODELS } from '../../options/face-options.ts';
import { COLORIZE_MODELS, restoreOptions, restorePlan } from '../../options/restore-options.ts';
import type { RestoreStep } from '../../options/restore-options.ts';
import type { ImagesTask, RestoreTask } from '../../processing/tasks.ts';
import { METHODS } from '../../options/methods.ts';
import { DEVICES } from '../../options/upscale-options.ts';
import {
  addFaceChoiceOptions,
  addFaceRestorationOptions,
  FACE_CHOICE_FLAGS,
  FACE_RESTORATION_FLAGS,
} from './face-flags.ts';
import { givenFlags, parseOptions } from '../flag-options.ts';
import { addExamples, addImageArguments, addResultOptions } from '../image-arguments.ts';
import { runImageCommand } from '../image-command.ts';
import type { ImageFlags } from '../batch-plan.ts';
import { OUTPUT_FLAGS } from '../batch-plan.ts';

const FLAGS = [
  ...['steps', 'model', 'renderFactor', 'tile', 'device'],
  ...FACE_RESTORATION_FLAGS,
  ...FACE_CHOICE_FLAGS,
] as const;

const RESTORE_EXAMPLES = [
  'restore scans/ -o repaired/ --steps denoise,face,colorize',
  'restore grandma.jpg -o grandma.png --steps old-photo',
  'restore blurred.jpg -o sharp.png --steps deblur --server http://127.0.0.1:8001',
];

const COLORIZE_EXAMPLES = [
  'colorize grandma.jpg -o out.png',
  'colorize album/ -o colors/ --model deoldify-artistic --render-factor 30',
];

/** Adds `hiresfix restore` to the program. */
export function addRestoreCommand(program: Command, loadConfig: () => Config): void {
  const command = program.command('restore').description('Repair photographs: noise, blur, faces, lost colours');
  addImageArguments(command)
    .option(
      '--steps <list>',
      'what to do, comma-separated: denoise, deblur, face, colorize, or old-photo; the default is MODEL_RESTORE',
    )
    .option('--tile <pixels|auto>', 'tile side in pixels; 0 is the whole image')
    .addOption(deviceOption());
  addFaceRestorationOptions(command.optionsGroup('Faces:'), FACE_MODELS, 'the default is MODEL_FACE');
  addFaceChoiceOptions(command);
  addColorizeOptions(command.optionsGroup('Colours:'));
  addExamples(addResultOptions(command, METHODS.restore.suffix), RESTORE_EXAMPLES).action(
    async (inputs: string[], flags: ImageFlags) => {
      const config = loadConfig();
      await restore(inputs, flags, { config, method: 'restore', standard: config.modelRestore });
    },
  );
}

/** Adds `hiresfix colorize` to the program. */
export function addColorizeCommand(program: Command, loadConfig: () => Config): void {
  const command = program.command('colorize').description('Colour black-and-white photographs');
  addColorizeOptions(addImageArguments(command));
  command.addOption(deviceOption());
  addExamples(addResultOptions(command, METHODS.colorize.suffix), COLORIZE_EXAMPLES).action(
    async (inputs: string[], flags: ImageFlags) => {
      await restore(inputs, flags, { config: loadConfig(), method: 'colorize', standard: 'colorize' });
    },
  );
}

function addColorizeOptions(command: Command): void {
  command
    .addOption(
      new Option('--model <name>', 'network that colorizes; the default is MODEL_COLORIZE').choices(COLORIZE_MODELS),
    )
    .option(
      '--render-factor <7..45>',
      'DeOldify only: it colours a square of 16 times this many pixels a side; 35 by default',
    );
}

function deviceOption(): Option {
  return new Option('--device <device>', 'where the networks run').choices(DEVICES);
}

interface Restoration {
  readonly config: Config;
  readonly method: 'restore' | 'colorize';
  /** What is done where no steps are named. */
  readonly standard: RestoreStep;
}

async function restore(
  inputs: readonly string[],
  flags: ImageFlags,
  { config, method, standard }: Restoration,
): Promise<void> {
  const given = givenFlags(flags, [...FLAGS, ...OUTPUT_FLAGS]);
  // Named always: a job's own standard is another one than that of the command.
  const fields = method === 'restore' ? { steps: standard, ...given } : given;
  await runImageCommand(inputs, flags, {
    config,
    createTask: (images) => Promise.resolve(createRestoreTask(images, flags, standard)),
    call: { method, fields },
  });
}

/** What the flags ask to be done. @throws UsageError */
function createRestoreTask(images: ImagesTask, flags: ImageFlags, standard: RestoreStep): RestoreTask {
  const plan = restorePlan(parseOptions(restoreOptions, givenFlags(flags, FLAGS)), standard);
  return { kind: 'restore', ...images, ...plan };
}
