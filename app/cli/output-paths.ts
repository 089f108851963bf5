import { stat } from 'node:fs/promises';
import { dirname, extname, join, parse, resolve } from 'node:path';
import { HiresFixError } from '../errors.ts';
import { extensionOf, formatOfExtension, OUTPUT_FORMAT_NAMES } from '../options/output-formats.ts';
import type { OutputOptions } from '../options/output-options.ts';
import { assertFree } from '../processing/result-place.ts';
import { FileExistsError } from '../processing/errors.ts';
import { UsageError } from './errors.ts';
import { finishedResult } from './finished-result.ts';
import type { InputFile } from './inputs/input-files.ts';
import { nameOf } from './inputs/input-files.ts';

/** Where one result goes: a fixed path, or a path whose extension the format decides. */
export interface OutputPath {
  readonly outputStem: string;
  readonly outputFile?: string;
}

/** What becomes of one input: a result somewhere, nothing since that is there already, or nothing since it cannot be. */
export type OutputPlace =
  { readonly path: OutputPath } | { readonly finished: string } | { readonly refusal: HiresFixError };

export interface OutputPlan {
  /** Of each input. */
  readonly places: readonly OutputPlace[];
  /** The format that a fixed path's extension asks for; else what was asked. */
  readonly format: OutputOptions['output_format'];
}

export interface OutputFlags {
  readonly suffix: string;
  readonly format: OutputOptions['output_format'];
  readonly mayOverwrite: boolean;
  /** Whether nothing is made of inputs whose results are there and no older. */
  readonly skipsFinished: boolean;
  /** Names of inputs by their results: what this run made before. */
  readonly claimed?: ReadonlyMap<string, string>;
}

/** An ending that speaks of a kind of file, as `.tga` and `.v2` do and `.5` does not. */
const FILE_ENDING = /^\.[a-z][a-z0-9]{1,4}$/i;

/**
 * One input and a target with an image's extension: that file. Otherwise the target is a folder, and results are called
 * `{base}{suffix}.{ext}`, below the same folders as their inputs. An input whose result would be that of another, or would
 * replace a file, is refused by itself.
 * @throws UsageError where no result can have the name, or it contradicts the format
 */
export async function outputPlan(
  inputs: readonly InputFile[],
  target: string,
  flags: OutputFlags,
): Promise<OutputPlan> {
  const { suffix, format } = flags;
  if (/[\\/]/.test(suffix)) throw new UsageError(`--suffix: expected a part of a file name, got '${suffix}'`);
  const named = await namedFormat(target, format, inputs.length);
  if (named !== undefined) {
    const file = resolve(target);
    const wanted = [{ outputStem: join(dirname(file), parse(file).name), outputFile: file }];
    return { places: await placesOf(inputs, wanted, { ...flags, format: named }), format: named };
  }
  const wanted = inputs.map(({ relativePath }) => {
    const { dir, name } = parse(relativePath);
    return { outputStem: resolve(target, dir, `${name}${suffix}`) };
  });
  return { places: await placesOf(inputs, wanted, flags), format };
}

/** The format of the file that the target names; undefined where it is a folder. @throws UsageError */
export async function namedFormat(
  target: string,
  asked: OutputFlags['format'],
  results: number,
): Promise<OutputPlan['format'] | undefined> {
  if (target === '') throw new UsageError('--output: expected a file or a folder, got an empty text');
  const there = await stat(target).catch(() => undefined);
  if (there?.isDirectory() === true) return undefined;
  const named = results === 1 ? formatOfExtension(extname(target)) : undefined;
  if (named === undefined) {
    if (there)
      throw new UsageError(
        `--output: expected a folder for ${results === 1 ? 'the result' : `${results} results`}, ${target} is a file`,
      );
    if (results === 1) assertFolderName(target);
    return undefined;
  }
  if (asked === 'auto' || asked === named) return named;
  throw new UsageError(
    `--format ${asked} contradicts the name ${target}: expected one that ends in .${extensionOf(asked)}`,
  );
}

/** A folder whose name ends like that of a file is not what was meant, unless it says so. */
function assertFolderName(target: string): void {
  const extension = extname(target);
  if (/[\\/]$/.test(target) || !FILE_ENDING.test(extension)) return;
  throw new UsageError(
    `--output: ${extension.slice(1).toUpperCase()} cannot be written, got ${target}; expected ${OUTPUT_FORMAT_NAMES.map(extensionOf).join(', ')}, or a folder: ${target}/`,
  );
}

async function placesOf(
  inputs: readonly InputFile[],
  wanted: readonly OutputPath[],
  { mayOverwrite, skipsFinished, claimed, format }: OutputFlags,
): Promise<readonly OutputPlace[]> {
  const files = inputs.map((input, index) => expectedFile(input, wanted[index], format));
  const expected = new Set(files);
  const owners = new Map(claimed);
  const places: OutputPlace[] = [];
  for (const [index, input] of inputs.entries()) {
    const [path, file] = [wanted[index], files[index]];
    if (!path || file === undefined) throw new RangeError(`input ${index} has no place for its result`);
    const owner = owners.get(file) ?? nameOf(input);
    owners.set(file, owner);
    if (owner !== nameOf(input)) {
      places.push({ refusal: collision(owner, nameOf(input), file) });
      continue;
    }
    const isOfAnother = (other: string): boolean => other !== file && expected.has(other);
    const wantedResult = { stem: path.outputStem, file, format, isOfAnother };
    const finished = skipsFinished ? await finishedResult(input, wantedResult) : undefined;
    const refusal = finished === undefined ? await refusalOf(() => assertFree(file, mayOverwrite)) : undefined;
    places.push(refusal ? { refusal } : finished === undefined ? { path } : { finished });
  }
  return places;
}

function collision(owner: string, other: string, file: string): FileExistsError {
  return new FileExistsError(
    `${owner} and ${other} would both become ${file}: run them separately, or with another --suffix or folder`,
  );
}

/** What `auto` makes of an input by its name; the file's own bytes may say otherwise, and then the worker sees to it. */
function expectedFile({ path }: InputFile, wanted: OutputPath | undefined, format: OutputFlags['format']): string {
  const named = format === 'auto' ? (formatOfExtension(extname(path)) ?? 'png') : format;
  return wanted?.outputFile ?? `${wanted?.outputStem ?? ''}.${extensionOf(named)}`;
}

/** Before any work is done. */
async function refusalOf(check: () => Promise<void>): Promise<HiresFixError | undefined> {
  try {
    await check();
    return undefined;
  } catch (error) {
    return error instanceof HiresFixError ? error : undefined; // the work has the words for what the system says
  }
}
