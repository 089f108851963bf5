import { dirname } from 'node:path';
import { makeUsableFolder } from '../files/usable-folder.ts';
import { outputOptions } from '../options/output-options.ts';
import type { ImagesTask, TaskImage } from '../processing/tasks.ts';
import type { WorkedFiles } from './terminal/batch-report.ts';
import { UsageError } from './errors.ts';
import { givenFlags, parseOptions } from './flag-options.ts';
import type { FoundFiles } from './inputs/input-files.ts';
import { nameOf } from './inputs/input-files.ts';
import { leftOutLines } from './inputs/left-out.ts';
import { withoutOwnResults } from './inputs/own-results.ts';
import type { OutputFlags, OutputPlan } from './output-paths.ts';
import { namedFormat, outputPlan } from './output-paths.ts';

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
  readonly skipExisting?: boolean;
  readonly watch?: boolean;
  readonly dryRun?: boolean;
}

/** The flags that say how a result is written. */
export const OUTPUT_FLAGS = ['format', 'quality', 'lossless', 'frames', 'metadata'] as const;

/** What is to be made of the files that were found, and of which nothing is. */
export interface BatchPlan extends WorkedFiles {
  /** Of the files of which a result is to be made. */
  readonly task: ImagesTask;
}

/**
 * What is to be made of files, and where it goes.
 * @param claimed names of inputs by their results, where this run made some before
 * @throws UsageError where the flags contradict each other or the paths, or nothing but results of earlier runs was found
 */
export async function batchPlan(
  found: FoundFiles,
  flags: ImageFlags,
  claimed?: ReadonlyMap<string, string>,
): Promise<BatchPlan> {
  const output = parseOptions(outputOptions, givenFlags(flags, OUTPUT_FLAGS));
  const { suffix } = flags;
  const mayOverwrite = flags.overwrite === true;
  const isFile = (await namedFormat(flags.output, output.output_format, found.files.length)) !== undefined;
  const { files, leftOut } = isFile ? found : await withoutOwnResults(found, { folder: flags.output, suffix });
  if (files.length === 0 && found.files.length > 0) {
    throw new UsageError(`no image to work on (${leftOutLines(leftOut).join('; ')})`);
  }
  const asked: OutputFlags = {
    ...{ suffix, mayOverwrite, format: output.output_format, skipsFinished: flags.skipExisting === true },
    ...(claimed && { claimed }),
  };
  const plan = await outputPlan(files, flags.output, asked);
  const images = imagesOf({ files, leftOut }, plan);
  return {
    files,
    leftOut,
    task: {
      images: images.map(({ image }) => image),
      output: { ...output, output_format: plan.format },
      mayOverwrite,
    },
    indices: images.map(({ index }) => index),
    skipped: new Map(plan.places.flatMap((place, index) => ('finished' in place ? [[index, place.finished]] : []))),
    failures: new Map(plan.places.flatMap((place, index) => ('refusal' in place ? [[index, place.refusal]] : []))),
  };
}

/** Makes the folders that the results of a task go to. @throws UsageError */
export async function makeFolders({ images }: ImagesTask): Promise<void> {
  for (const folder of new Set(images.map(({ outputStem }) => dirname(outputStem)))) await makeResultFolder(folder);
}

/**
 * Makes a folder for results, where there is none.
 * @param flag which named it, for the message
 * @throws UsageError where it cannot be made, or takes no files
 */
export async function makeResultFolder(folder: string, flag = '--output'): Promise<void> {
  try {
    await makeUsableFolder(folder);
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`${flag}: no files can be made in ${folder} (${detail}); choose another folder`, { cause });
  }
}

function imagesOf(
  { files }: FoundFiles,
  { places }: OutputPlan,
): readonly { readonly index: number; readonly image: TaskImage }[] {
  return files.flatMap((file, index) => {
    const place = places[index];
    if (!place || !('path' in place)) return [];
    return [{ index, image: { file: file.path, name: nameOf(file), ...place.path } }];
  });
}
