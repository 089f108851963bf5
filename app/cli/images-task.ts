import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ImagesTask } from '../processing/tasks.ts';
import { outputOptions } from '../options/output-options.ts';
import { UsageError } from './errors.ts';
import { givenFlags, parseOptions } from './flag-options.ts';
import type { InputFile } from './input-files.ts';
import { outputPlan } from './output-paths.ts';

/** Flags of every command that works on images, as commander names them. */
export interface CommonFlags extends Readonly<Record<string, unknown>> {
  readonly server?: string;
  readonly json?: boolean;
}

/** Flags of every command that makes images. */
export interface ImageFlags extends CommonFlags {
  readonly output: string;
  readonly suffix: string;
  readonly overwrite?: boolean;
  readonly dryRun?: boolean;
}

/** The flags that say how a result is written. */
export const OUTPUT_FLAGS = ['format', 'quality', 'lossless', 'metadata'] as const;

/**
 * What is to be made of `files`, and where it goes; the folders of the results are made, but for a dry run.
 * @throws UsageError, FileExistsError
 */
export async function imagesTask(files: readonly InputFile[], flags: ImageFlags): Promise<ImagesTask> {
  const output = parseOptions(outputOptions, givenFlags(flags, OUTPUT_FLAGS));
  const mayOverwrite = flags.overwrite === true;
  const { suffix } = flags;
  const plan = await outputPlan(files, flags.output, { suffix, format: output.output_format, mayOverwrite });
  const images = plan.paths.map((path, index) => {
    const input = files[index]?.path ?? '';
    return { file: input, name: input, ...path };
  });
  const folders = new Set(images.map(({ outputStem }) => dirname(outputStem)));
  if (flags.dryRun !== true) for (const folder of folders) await makeFolder(folder);
  return { images, output: { ...output, output_format: plan.format }, mayOverwrite };
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`--output: the folder ${folder} cannot be made (${detail})`, { cause });
  }
}
