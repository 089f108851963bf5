import { stat } from 'node:fs/promises';
import { dirname, extname, join, parse, resolve } from 'node:path';
import { FileExistsError } from '../processing/errors.ts';
import { extensionOf, formatOfExtension, OUTPUT_FORMAT_NAMES } from '../options/output-formats.ts';
import type { OutputOptions } from '../options/output-options.ts';
import { UsageError } from './errors.ts';
import type { InputFile } from './input-files.ts';

/** Where one result goes: a fixed path, or a path whose extension the format decides. */
export interface OutputPath {
  readonly outputStem: string;
  readonly outputFile?: string;
}

export interface OutputPlan {
  readonly paths: readonly OutputPath[];
  /** The format that a fixed path's extension asks for; else what was asked. */
  readonly format: OutputOptions['output_format'];
}

export interface OutputFlags {
  readonly suffix: string;
  readonly format: OutputOptions['output_format'];
  readonly mayOverwrite: boolean;
}

/** Image files that are known, but not written here; a folder of such a name is not what was meant. */
const NOT_WRITTEN = new Set(['.gif', '.bmp', '.svg', '.heic', '.heif', '.jxl', '.jp2', '.ico', '.psd', '.ppm', '.pdf']);

/**
 * One input and a target with an image's extension: that file. Otherwise the target is a folder, and results are called
 * `{base}{suffix}.{ext}`, below the same folders as their inputs.
 * @throws UsageError where two inputs would have one result, or extension and format contradict each other; FileExistsError
 * where a result would replace a file
 */
export async function outputPlan(
  inputs: readonly InputFile[],
  target: string,
  flags: OutputFlags,
): Promise<OutputPlan> {
  const { suffix, format } = flags;
  if (/[\\/]/.test(suffix)) throw new UsageError(`--suffix: expected a part of a file name, got '${suffix}'`);
  const there = await stat(target).catch(() => undefined);
  if (inputs.length === 1 && there?.isDirectory() !== true) {
    const named = namedFormat(target, format);
    if (named !== undefined) return filePlan(resolve(target), named, flags);
  }
  if (there && !there.isDirectory()) {
    throw new UsageError(`--output: expected a folder for ${inputs.length} results, ${target} is a file`);
  }
  const paths = inputs.map(({ relativePath }) => {
    const { dir, name } = parse(relativePath);
    return { outputStem: resolve(target, dir, `${name}${suffix}`) };
  });
  const expected = paths.map(({ outputStem }, index) => `${outputStem}.${expectedExtension(inputs[index], format)}`);
  assertDistinct(inputs, expected);
  if (!flags.mayOverwrite) await assertFree(expected);
  return { paths, format };
}

/** The format that the target's extension stands for, if it is one. */
function namedFormat(target: string, asked: OutputFlags['format']): OutputPlan['format'] | undefined {
  const extension = extname(target).toLowerCase();
  const named = formatOfExtension(extension);
  if (named === undefined && NOT_WRITTEN.has(extension)) {
    throw new UsageError(
      `--output: ${extension.slice(1).toUpperCase()} is not written, got ${target}; expected ${OUTPUT_FORMAT_NAMES.map(extensionOf).join(', ')} or a folder`,
    );
  }
  if (named !== undefined && asked !== 'auto' && asked !== named) {
    throw new UsageError(
      `--format ${asked} contradicts the name ${target}: expected one that ends in .${extensionOf(asked)}`,
    );
  }
  return named;
}

async function filePlan(
  outputFile: string,
  format: OutputPlan['format'],
  { mayOverwrite }: OutputFlags,
): Promise<OutputPlan> {
  if (!mayOverwrite) await assertFree([outputFile]);
  return { paths: [{ outputStem: join(dirname(outputFile), parse(outputFile).name), outputFile }], format };
}

/** What `auto` makes of an input by its name; the file's own bytes may say otherwise, and then the worker sees to it. */
function expectedExtension(input: InputFile | undefined, format: OutputFlags['format']): string {
  return extensionOf(format === 'auto' ? (formatOfExtension(extname(input?.path ?? '')) ?? 'png') : format);
}

function assertDistinct(inputs: readonly InputFile[], files: readonly string[]): void {
  const owners = new Map<string, InputFile>();
  files.forEach((file, index) => {
    const input = inputs[index];
    const other = owners.get(file);
    if (input && other) {
      throw new UsageError(`${other.path} and ${input.path} would both become ${file}: run them separately`);
    }
    if (input) owners.set(file, input);
  });
}

/** Before any work is done. */
async function assertFree(files: readonly string[]): Promise<void> {
  const found = await Promise.all(files.map((file) => stat(file).catch(() => undefined)));
  const taken = files.filter((_file, index) => found[index] !== undefined);
  const [first] = taken;
  if (first === undefined) return;
  const more = taken.length > 1 ? ` (and ${taken.length - 1} more of the ${files.length} results)` : '';
  throw new FileExistsError(
    `${first}: there is such a file already${more}; choose another name, or allow it by --overwrite`,
  );
}
