import { lstat, realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { UsageError } from '../errors.ts';

/** The folders that a program may name files in. Links count as what they lead to. */
export class AllowedRoots {
  readonly #roots: readonly string[];

  private constructor(roots: readonly string[]) {
    this.#roots = roots;
  }

  /** @throws UsageError for one that is no folder */
  static async of(folders: readonly string[]): Promise<AllowedRoots> {
    const roots = await Promise.all(
      folders.map(async (folder) => {
        const there = await stat(folder).catch(() => undefined);
        if (there?.isDirectory() !== true) throw new UsageError(`--root: expected a folder, got ${folder}`);
        return realpath(folder);
      }),
    );
    return new AllowedRoots(roots);
  }

  /** The path of a file to read, without links. A path that is not absolute lies in the first root. @throws UsageError */
  async input(path: string): Promise<string> {
    const real = await realpath(this.#absolute(path)).catch(() => undefined);
    if (real === undefined) throw new UsageError(`input: there is no file ${path} that may be read`);
    this.#assertWithin(real, 'input', path);
    if (!(await stat(real)).isFile()) throw new UsageError(`input: expected a file, got ${path}`);
    return real;
  }

  /** The path of a file or folder to be written, which need not be there. @throws UsageError */
  async output(path: string): Promise<string> {
    const absolute = this.#absolute(path);
    const there = await nearestThere(absolute);
    const real = await realpath(there).catch(() => undefined);
    if (real === undefined) throw new UsageError(`output: ${path} leads nowhere`);
    this.#assertWithin(real, 'output', path);
    return resolve(real, relative(there, absolute));
  }

  #absolute(path: string): string {
    return resolve(this.#roots[0] ?? '', path);
  }

  #assertWithin(real: string, field: string, path: string): void {
    if (this.#roots.some((root) => isWithin(real, root))) return;
    throw new UsageError(`${field}: ${path} lies outside the folders that are allowed: ${this.#roots.join(', ')}`);
  }
}

/** The path itself, or the nearest folder above it that is there. A link that leads nowhere is there, too. */
async function nearestThere(path: string): Promise<string> {
  if (await lstat(path).catch(() => undefined)) return path;
  return dirname(path) === path ? path : nearestThere(dirname(path));
}

function isWithin(path: string, root: string): boolean {
  const way = relative(root, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}
