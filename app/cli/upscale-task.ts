import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { HiresFixTask } from '../processing/tasks.ts';
import { upscaleOptions } from '../options/upscale-options.ts';
import { UsageError } from './errors.ts';
import { givenFlags, parseOptions } from './flag-options.ts';
import type { ImageFlags } from './images-task.ts';
import { imagesTask, OUTPUT_FLAGS } from './images-task.ts';
import type { InputFile } from './input-files.ts';

/** The command's flags, as commander names them. */
export interface UpscaleFlags extends ImageFlags {
  readonly upscaler: string;
}

/** Flags that are options of the upscale under another spelling. */
const UPSCALE_FLAGS = [
  ...['scale', 'width', 'height', 'fit', 'denoiseStrength', 'tile', 'tilePad', 'prePad', 'tta', 'device', 'precision'],
  ...['faceRestoration', 'faceModel', 'faceRestorationStrength', 'fidelity', 'strict', 'colourFix', 'clean'],
] as const;

/**
 * What the flags ask to be done with `files`; the folders of the results are made, but for a dry run.
 * @throws UsageError, FileExistsError
 */
export async function createTask(files: readonly InputFile[], flags: UpscaleFlags): Promise<HiresFixTask> {
  const modelFile = flags.server === undefined ? await checkpointPath(flags.upscaler) : undefined;
  const { upscaler, ...asked } = givenOptions(flags);
  const options = parseOptions(upscaleOptions, modelFile === undefined ? { ...asked, upscaler } : asked);
  const task = await imagesTask(files, flags);
  return { kind: 'hires-fix', ...task, options, ...(modelFile === undefined ? {} : { modelFile }) };
}

/** The options that were given, under the names that `POST /upscale` has for them. */
export function givenOptions(flags: UpscaleFlags): Readonly<Record<string, unknown>> {
  return { upscaler: flags.upscaler, ...givenFlags(flags, [...UPSCALE_FLAGS, ...OUTPUT_FLAGS]) };
}

/** The path of the checkpoint that `upscaler` names, if it names one; else it is a name for the catalogue to look up. */
async function checkpointPath(upscaler: string): Promise<string | undefined> {
  if (!/[\\/]/.test(upscaler) && !/\.(pth|pt|ckpt|safetensors)$/i.test(upscaler)) return undefined;
  const path = resolve(upscaler);
  const there = await stat(path).catch(() => undefined);
  if (there?.isDirectory() === true) {
    throw new UsageError(`--upscaler: expected a checkpoint file, ${upscaler} is a folder`);
  }
  if (!there && /^(\.{1,2}[\\/]|[\\/]|[a-z]:)/i.test(upscaler)) {
    throw new UsageError(`--upscaler: there is no file ${upscaler}`);
  }
  return there && path;
}
