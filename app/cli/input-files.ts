import { stat } from 'node:fs/promises';
import { extname, join, relative, resolve } from 'node:path';
import { glob } from 'tinyglobby';
import { UsageError } from './errors.ts';

/** An image that the command line named, itself or by its folder. */
export interface InputFile {
  readonly path: string;
  /** Where it lies below the folder that was named, for results to keep the tree; else its name alone. */
  readonly relativePath: string;
}

/** What folders and patterns are searched for. A file that is named itself may be called anything. */
const IMAGE_EXTENSIONS = ['.png', '.jpg', '.jpeg', '.jfif', '.webp', '.avif', '.tif', '.tiff', '.gif'];

/**
 * The images that `inputs` mean: files, folders (searched to the bottom) and glob patterns, in the order given, none twice.
 * @throws UsageError for one that means nothing
 */
export async function inputFiles(inputs: readonly string[]): Promise<readonly InputFile[]> {
  const found = new Map<string, InputFile>();
  for (const input of inputs) {
    const files = await expand(input);
    if (files.length === 0) throw new UsageError(`${input}: no such file, and no image matches it`);
    for (const file of files) if (!found.has(file.path)) found.set(file.path, file);
  }
  return [...found.values()];
}

async function expand(input: string): Promise<readonly InputFile[]> {
  const info = await stat(input).catch(() => undefined);
  if (info?.isFile()) return [{ path: resolve(input), relativePath: relative(join(input, '..'), input) }];
  const isFolder = info?.isDirectory() ?? false;
  const options = isFolder ? { cwd: input } : {};
  const matches = await glob(isFolder ? '**/*' : input, { ...options, absolute: true, caseSensitiveMatch: false });
  const images = matches.filter((path) => IMAGE_EXTENSIONS.includes(extname(path).toLowerCase())).sort();
  const root = isFolder ? resolve(input) : undefined;
  return images.map((path) => ({ path, relativePath: relative(root ?? join(path, '..'), path) }));
}
