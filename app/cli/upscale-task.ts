import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { HiresFixTask, ImagesTask } from '../processing/tasks.ts';
import { oneSize, upscaleOptions } from '../options/upscale-options.ts';
import { UsageError } from './errors.ts';
import { givenFlags, parseOptions } from './flag-options.ts';
import type { ImageFlags } from './batch-plan.ts';
import { OUTPUT_FLAGS } from './batch-plan.ts';

/** The command's flags, as commander names them. */
export interface UpscaleFlags extends ImageFlags {
  readonly upscaler: string;
}

/** Flags that are options of the upscale under another spelling. */
const UPSCALE_FLAGS = [
  ...['scale', 'width', 'height', 'fit', 'denoiseStrength', 'tile', 'tilePad', 'prePad', 'tta', 'device', 'precision'],
  ...['faceRestoration', 'faceModel', 'faceRestorationStrength', 'fidelity', 'strict', 'colourFix', 'clean'],
] as const;

const form = upscaleOptions.check(oneSize());

/** What the flags ask to be done with images. @throws UsageError */
export async function createTask(images: ImagesTask, flags: UpscaleFlags): Promise<HiresFixTask> {
  const modelFile = flags.server === undefined ? await checkpointPath(flags.upscaler) : undefined;
  const { upscaler, ...asked } = givenOptions(flags);
  const options = parseOptions(form, modelFile === undefined ? { ...asked, upscaler } : asked);
  return { kind: 'hires-fix', ...images, options, ...(modelFile === undefined ? {} : { modelFile }) };
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
