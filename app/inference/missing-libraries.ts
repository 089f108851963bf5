import { dirname, join } from 'node:path';
import type { ElfFile } from './elf-file.ts';
import { readElfFile } from './elf-file.ts';
import { readLoaderCache } from './loader-cache.ts';

/** Where glibc looks last. */
const SYSTEM_FOLDERS = ['/lib64', '/usr/lib64', '/lib', '/usr/lib'];

/**
 * Names of all libraries that a library of this system needs, itself or by way of others, and that its loader would not find: the
 * loader's own message names the first only. They are looked for as glibc does: in `LD_LIBRARY_PATH`, where the file says, in
 * the system's list (`ld.so.cache`) and in its folders. Empty on systems other than Linux, whose libraries are not read.
 * @param alsoNeeded libraries that `file` loads by name once it runs
 */
export function missingLibraries(
  file: string,
  alsoNeeded: readonly string[] = [],
  libraryPath = process.env['LD_LIBRARY_PATH'] ?? '',
): readonly string[] {
  const first = readElfFile(file);
  if (process.platform !== 'linux' || !first) return [];
  const search = new LibrarySearch(first.machine, libraryPath.split(/[:;]/).filter(Boolean));
  search.visit(file, { ...first, needed: [...first.needed, ...alsoNeeded] });
  return search.missing;
}

/** Goes through what a library needs, what that needs, and so on, each once. */
class LibrarySearch {
  readonly missing: string[] = [];
  readonly #machine: number;
  readonly #firstFolders: readonly string[];
  readonly #cache = readLoaderCache();
  readonly #seen = new Set<string>();

  constructor(machine: number, firstFolders: readonly string[]) {
    this.#machine = machine;
    this.#firstFolders = firstFolders;
  }

  visit(file: string, { needed, searchPath }: ElfFile): void {
    const own = searchPath.map((folder) => folder.replace(/\$ORIGIN|\$\{ORIGIN\}/g, dirname(file)));
    for (const name of needed) {
      if (this.#seen.has(name)) continue;
      this.#seen.add(name);
      const found = this.#find(name, own);
      if (found) this.visit(found.path, found.elf);
      else this.missing.push(name);
    }
  }

  /** The loader passes over files of another processor. */
  #find(name: string, own: readonly string[]): { readonly path: string; readonly elf: ElfFile } | undefined {
    const inFolders = (folders: readonly string[]): string[] => folders.map((folder) => join(folder, name));
    const listed = this.#cache.get(name) ?? [];
    for (const path of [...inFolders([...this.#firstFolders, ...own]), ...listed, ...inFolders(SYSTEM_FOLDERS)]) {
      const elf = readElfFile(path);
      if (elf?.machine === this.#machine) return { path, elf };
    }
    return undefined;
  }
}
