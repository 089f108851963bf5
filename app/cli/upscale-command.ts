import type { Command } from 'commander';
import { Option } from 'commander';
import type { Config } from '../config.ts';
import type { HiresFixTask } from '../processing/tasks.ts';
import { DEVICES, OUTPUT_FORMATS } from '../processing/upscale-options.ts';
import type { TaskHooks } from '../worker/worker-pool.ts';
import { WorkerPool } from '../worker/worker-pool.ts';
import { inputFiles } from './input-files.ts';
import { interruption } from './interruption.ts';
import { ProgressBar } from './progress-bar.ts';
import { RemoteService } from './remote-service.ts';
import { upscaleRemotely } from './remote-upscale.ts';
import type { Outcome } from './upscale-report.ts';
import { reportOutcome } from './upscale-report.ts';
import type { UpscaleFlags } from './upscale-task.ts';
import { createTask, givenOptions } from './upscale-task.ts';

/** Adds `hiresfix upscale` to the program. */
export function addUpscaleCommand(program: Command, loadConfig: () => Config): void {
  program
    .command('upscale')
    .description('Enlarge images with a network or a Pillow filter')
    .argument('<input...>', 'image files, folders or glob patterns')
    .requiredOption('-o, --output <path>', 'a file (for one input), or a folder, which is created')
    .option(
      '-u, --upscaler <type|file>',
      'AUTO, LANCZOS, REALESRGAN_X4PLUS ..., a name in MODELS_DIR, or a checkpoint file',
      'AUTO',
    )
    .option('-s, --scale <factor>', "any factor above 0; by default the model's own, or 2")
    .option('--width <pixels>', 'width of the result; alone it keeps the ratio')
    .option('--height <pixels>', 'height of the result; alone it keeps the ratio')
    .option('--tile <pixels|auto>', 'tile side in input pixels, 0 for the whole image')
    .option('--tile-pad <pixels|auto>', "pixels around a tile; a number means RealESRGANer's own grid")
    .option('--pre-pad <pixels>', 'padding of the image before it is cut')
    .option('--denoise-strength <0..1>', 'REALESR_GENERAL_X4_V3: 1 is the general model, 0 keeps the most grain')
    .addOption(new Option('--device <device>', 'where the network runs').choices(DEVICES))
    .addOption(new Option('--format <format>', 'format of the results').choices(OUTPUT_FORMATS).default('auto'))
    .option('--quality <1..100>', 'of JPEG, WebP and AVIF')
    .addOption(new Option('--metadata <mode>', 'EXIF, XMP, DPI, PNG texts').choices(['keep', 'strip']).default('keep'))
    .option('--suffix <text>', 'put after the name of each result in a folder', '_upscaled')
    .option('--overwrite', 'replace results that are there')
    .option('--server <url>', 'have a running service do it; its key, if it wants one, in HIRESFIX_API_KEY')
    .option('--json', 'print one JSON document on stdout')
    .action(async (inputs: string[], flags: UpscaleFlags) => {
      await upscale(inputs, flags, loadConfig());
    });
}

async function upscale(inputs: readonly string[], flags: UpscaleFlags, config: Config): Promise<void> {
  const run = runnerOf(flags, config);
  const files = await inputFiles(inputs);
  const task = await createTask(files, flags);
  const isJson = flags.json === true;
  const outcome: Outcome = { results: new Map(), failures: new Map() };
  const bar = new ProgressBar(!isJson);
  const interrupt = interruption();
  let error: Error | undefined;
  try {
    await run(task, {
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

type Runner = (task: HiresFixTask, hooks: TaskHooks) => Promise<void>;

/** Here, in a worker process, or on the service of `--server`. @throws UsageError for what is no URL */
function runnerOf(flags: UpscaleFlags, config: Config): Runner {
  if (flags.server !== undefined) {
    // The caller's own key, which is no setting of a service and so not in its configuration.
    const service = new RemoteService(flags.server, process.env['HIRESFIX_API_KEY']);
    return (task, hooks) => upscaleRemotely(service, { task, fields: givenOptions(flags) }, hooks);
  }
  return async (task, hooks) => {
    const pool = new WorkerPool(config, { isBackground: false });
    try {
      await pool.run(task, hooks);
    } finally {
      await pool.close();
    }
  };
}
