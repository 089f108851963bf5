import type { Command } from 'commander';
import { Option } from 'commander';
import type { Config } from '../../config.ts';
import { METHODS } from '../../options/methods.ts';
import { COLOR_FIXES, DEVICES, FITS, PRECISIONS } from '../../options/upscale-options.ts';
import { FACE_MODELS } from '../../options/face-options.ts';
import { addExamples, addImageArguments, addResultOptions } from '../image-arguments.ts';
import { fetchedAhead } from '../fetch-ahead.ts';
import { runImageCommand } from '../image-command.ts';
import type { UpscaleFlags } from '../upscale-task.ts';
import { createTask, givenOptions } from '../upscale-task.ts';
import { addFaceRestorationOptions } from './face-flags.ts';

const EXAMPLES = [
  'upscale photo.jpg -o photo-2x.png --scale 2',
  'upscale shots/ -o big/ --upscaler REALESRGAN_X4PLUS --width 3840',
  "upscale 'scans/*.tif' -o big/ --upscaler models/4x-UltraSharp.pth --format webp --quality 90",
  'upscale photo.jpg -o photo-2x.png --server http://127.0.0.1:8001',
];

/** Adds `hiresfix upscale` to the program. */
export function addUpscaleCommand(program: Command, loadConfig: () => Config): void {
  const command = program.command('upscale').description('Enlarge images with a network or a Pillow filter');
  addImageArguments(command)
    .option(
      '-u, --upscaler <type|file>',
      'AUTO, LANCZOS, REALESRGAN_X4PLUS ..., a name in MODELS_DIR, or a checkpoint file',
      'AUTO',
    )
    .option('-s, --scale <factor>', "any factor above 0; by default the model's own, 2 for AUTO and Pillow filters")
    .option('--width <pixels>', 'width of the result; given alone, keeps the ratio')
    .option('--height <pixels>', 'height of the result; given alone, keeps the ratio')
    .addOption(
      new Option(
        '--fit <fit>',
        'with --width and --height: fill (the default) stretches, inside keeps the ratio, cover keeps it and crops',
      ).choices(FITS),
    )
    .optionsGroup('Network:')
    .option('--tile <pixels|auto>', 'tile side in input pixels; 0 is the whole image')
    .option('--tile-pad <pixels|auto>', "context around a tile; a number means exactly RealESRGANer's grid")
    .option('--pre-pad <pixels>', 'padding added around the image before it is cut into tiles')
    .option(
      '--tta <1|2|4|auto>',
      'average this many mirrored views, one run of the network each; auto: several for small images with COMPACT_X2, else 1',
    )
    .option('--denoise-strength <0..1>', 'REALESR_GENERAL_X4_V3 only: 1 is the general model, 0 keeps the most grain')
    .addOption(
      new Option(
        '--colour-fix <how>',
        "give the result the input's own tones back: the mean colour (mean) or all but fine detail (wavelet)",
      ).choices(COLOR_FIXES),
    )
    .option('--clean <model>', 'network of scale 1 in MODELS_DIR to run first, against noise or JPEG artefacts')
    .addOption(new Option('--device <device>', 'where the network runs').choices(DEVICES))
    .addOption(
      new Option(
        '--precision <numbers>',
        'auto: fp16 on CUDA for networks that tolerate it, int8 on CPUs for weights whose int8 form was measured to be close enough, else fp32; fp16 is for GPUs',
      ).choices(PRECISIONS),
    );
  addFaceOptions(command);
  addExamples(addResultOptions(command, METHODS.upscale.suffix), EXAMPLES).action(
    async (inputs: string[], flags: UpscaleFlags) => {
      const config = loadConfig();
      const isFetching = flags.server === undefined && flags.dryRun !== true;
      await runImageCommand(inputs, flags, {
        config,
        createTask: async (images) => {
          const task = await createTask(images, flags);
          return isFetching ? fetchedAhead(task, config) : task;
        },
        call: { method: 'upscale', fields: givenOptions(flags) },
      });
    },
  );
}

function addFaceOptions(command: Command): void {
  command
    .optionsGroup('Faces:')
    .option('--face-restoration', 'restore faces; the default is IS_FACE_ENHANCE')
    .option('--no-face-restoration', 'leave faces as they are');
  addFaceRestorationOptions(command, FACE_MODELS, 'gfpgan by default')
    .option('--strict', 'fail if faces cannot be restored')
    .option('--no-strict', 'leave faces that cannot be restored as they are, and say so (the default)');
}
