import type { Stats } from 'node:fs';
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, extname, join, relative, resolve } from 'node:path';
import { glob } from 'tinyglobby';
import { canDecodeHeic } from '../../imaging/codec/pixels/heic-pixels.ts';
import { UsageError } from '../errors.ts';
import type { LeftOut } from './left-out.ts';
import { leftOutLines } from './left-out.ts';
import type { PipedPictures } from './piped-pictures.ts';
import { isPipe } from './piped-pictures.ts';
import { walkFolder } from './walk-folder.ts';

/** An image that the command line named, itself or by its folder. */
export interface InputFile {
  readonly path: string;
  /** Where it lies below the folder that was named, for results to keep the tree; else its name alone. */
  readonly relativePath: string;
  /** What it is called in reports, where that is not its path. */
  readonly name?: string;
  /** Whether it was found in a folder or by a pattern, and not named itself. */
  readonly isSearched?: boolean;
}

/** The images that were named, and what of their folders was not taken. */
export interface FoundFiles {
  readonly files: readonly InputFile[];
  readonly leftOut: readonly LeftOut[];
}

export interface FindOptions {
  /** Where what comes through pipes is kept; without it pipes are refused. */
  readonly pipes?: PipedPictures;
  /** Whether a folder may have no images, as one may that is watched. */
  readonly mayBeEmpty?: boolean;
}

/** What folders and patterns are searched for. A file that is named itself may be called anything. */
const IMAGE_EXTENSIONS: ReadonlySet<string> = new Set([
  ...['.png', '.apng', '.jpg', '.jpeg', '.jpe', '.jfif', '.pjpeg', '.pjp', '.webp', '.avif', '.avifs'],
  ...['.tif', '.tiff', '.gif'],
  ...(canDecodeHeic() ? ['.heic', '.heif', '.hif'] : []),
]);

/**
 * The images that `inputs` mean: files, folders (searched to the bottom), glob patterns and pipes (`-` is stdin), in the order
 * given, none twice.
 * @throws UsageError for one that means nothing
 */
export async function findInputs(inputs: readonly string[], options: FindOptions = {}): Promise<FoundFiles> {
  const files = new Map<string, InputFile>();
  const leftOut = new Map<string, LeftOut>();
  for (const input of inputs) {
    const found = await expand(input, options);
    if (found.files.length === 0 && options.mayBeEmpty !== true) throw new UsageError(nothingIn(input, found.leftOut));
    for (const file of found.files) if (!files.has(file.path)) files.set(file.path, file);
    for (const one of found.leftOut) leftOut.set(one.path, one);
  }
  return { files: [...files.values()], leftOut: [...leftOut.values()] };
}

/** The same, of whoever does not ask what was left out. @throws UsageError for an input that means nothing */
export async function inputFiles(inputs: readonly string[]): Promise<readonly InputFile[]> {
  return (await findInputs(inputs)).files;
}

/** What a report calls an image. */
export function nameOf({ name, path }: InputFile): string {
  return name ?? path;
}

async function expand(input: string, { pipes }: FindOptions): Promise<FoundFiles> {
  const info = await stat(input).catch(() => undefined);
  if (isPipe(input, info)) return { files: [await piped(input, pipes)], leftOut: [] };
  if (info?.isFile() === true) return { files: [{ path: resolve(input), relativePath: basename(input) }], leftOut: [] };
  return info?.isDirectory() === true ? inFolder(resolve(input)) : byPattern(input, info);
}

async function piped(input: string, pipes: PipedPictures | undefined): Promise<InputFile> {
  if (!pipes) throw new UsageError(`${input}: expected a file or a folder, not a pipe`);
  const name = input === '-' ? 'stdin' : input;
  return { path: await pipes.receive(input), relativePath: basename(name), name };
}

async function inFolder(root: string): Promise<FoundFiles> {
  const { files, leftOut } = await walkFolder(root);
  return sorted(files, leftOut, (path) => relative(root, path));
}

async function byPattern(pattern: string, info: Stats | undefined): Promise<FoundFiles> {
  if (info !== undefined || pattern === '') return { files: [], leftOut: [] };
  const matches = await glob(pattern, { absolute: true, caseSensitiveMatch: false });
  return sorted(matches.sort(), [], (path) => basename(path));
}

/** Images, and what else there is. */
function sorted(
  paths: readonly string[],
  leftOut: readonly LeftOut[],
  relativePathOf: (path: string) => string,
): FoundFiles {
  const isImage = (path: string): boolean => IMAGE_EXTENSIONS.has(extname(path).toLowerCase());
  return {
    files: paths
      .filter(isImage)
      .map((path) => ({ path: join(path), relativePath: relativePathOf(path), isSearched: true })),
    leftOut: [
      ...paths.filter((path) => !isImage(path)).map((path) => ({ path, reason: 'not_read' as const })),
      ...leftOut,
    ],
  };
}

function nothingIn(input: string, leftOut: readonly LeftOut[]): string {
  if (leftOut.length === 0)
    return `${input}: ${existsSync(input) ? 'no image is in it' : 'no such file, and no image matches it'}`;
  return `${input}: no image that is read (${leftOutLines(leftOut).join('; ')})`;
}
