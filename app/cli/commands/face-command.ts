import type { Command } from 'commander';
import { Option } from 'commander';
import type { Config } from '../../config.ts';
import { FACE_TASK_MODELS, faceOptions } from '../../options/face-task-options.ts';
import { METHODS } from '../../options/methods.ts';
import { DEVICES } from '../../options/upscale-options.ts';
import { givenFlags, parseOptions } from '../flag-options.ts';
import { addExamples, addImageArguments, addResultOptions } from '../image-arguments.ts';
import { runImageCommand } from '../image-command.ts';
import type { ImageFlags } from '../batch-plan.ts';
import { OUTPUT_FLAGS } from '../batch-plan.ts';
import {
  addFaceChoiceOptions,
  addFaceRestorationOptions,
  FACE_CHOICE_FLAGS,
  FACE_RESTORATION_FLAGS,
} from './face-flags.ts';

const EXAMPLES = [
  'face group.jpg -o restored.png',
  'face group.jpg -o restored.png --faces 0,2      (numbers as `hiresfix faces group.jpg` lists them)',
  'face crops/ -o faces/ --aligned --size 256',
];

const FLAGS = [
  ...FACE_RESTORATION_FLAGS,
  ...['aligned', 'size', 'upscale', 'upscaler', 'tile', 'device'],
  ...FACE_CHOICE_FLAGS,
] as const;

/** Adds `hiresfix face` to the program. */
export function addFaceCommand(program: Command, loadConfig: () => Config): void {
  const command = program.command('face').description('Restore the faces of photographs');
  addFaceRestorationOptions(addImageArguments(command), FACE_TASK_MODELS, 'the default is MODEL_FACE')
    .option('--aligned', 'each input is one face, cropped and upright')
    .option('--size <pixels>', 'with --aligned: width and height of the result; 512 by default')
    .option('--upscale <factor>', 'how many times larger the result is; 1 by default')
    .option('--upscaler <type>', 'what enlarges the picture around the faces')
    .option('--tile <pixels|auto>', "that upscaler's tile side in input pixels; 0 is the whole image")
    .addOption(new Option('--device <device>', 'where the networks run').choices(DEVICES));
  addFaceChoiceOptions(command);
  addExamples(addResultOptions(command, METHODS.face.suffix), EXAMPLES).action(
    async (inputs: string[], flags: ImageFlags) => {
      const config = loadConfig();
      const options = parseOptions(faceOptions, givenFlags(flags, FLAGS));
      const fields = givenFlags(flags, [...FLAGS, ...OUTPUT_FLAGS]);
      await runImageCommand(inputs, flags, {
        config,
        createTask: (images) => Promise.resolve({ kind: 'face', ...images, options }),
        call: { method: 'face', fields },
      });
    },
  );
}
