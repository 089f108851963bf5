import { realpath } from 'node:fs/promises';
import { dirname, join, parse, resolve, sep } from 'node:path';
import type { FoundFiles, InputFile } from './input-files.ts';
import type { LeftOut } from './left-out.ts';

/** Where results go, and by what their names end. */
export interface ResultPlace {
  /** A folder, there or not. */
  readonly folder: string;
  readonly suffix: string;
}

/**
 * Leaves out of what was found the results of earlier runs: all that lies in a folder for results within a folder that is
 * searched, and what bears the suffix and lies beside its picture, or where its own result would lie. A file that was named
 * itself is taken.
 */
export async function withoutOwnResults({ files, leftOut }: FoundFiles, place: ResultPlace): Promise<FoundFiles> {
  const realFolder = realFolders();
  const folder = await realFolder(place.folder);
  const stems = new Set(files.map(({ path }) => stemOf(path)));
  const kept: InputFile[] = [];
  const results: LeftOut[] = [];
  for (const file of files) {
    const root = await realFolder(rootOf(file));
    const isWithin = isBelow(folder, root) && isBelow(join(await realFolder(dirname(file.path)), 'it'), folder);
    const isNamed = bearsSuffix(file, place.suffix) && (folder === root || stems.has(pictureOf(file, place.suffix)));
    if (file.isSearched === true && (isWithin || isNamed)) results.push({ path: file.path, reason: 'result' });
    else kept.push(file);
  }
  return { files: kept, leftOut: [...leftOut, ...results] };
}

/** Looks up where folders really are, each once; one that is not there yet is where it would be. */
function realFolders(): (folder: string) => Promise<string> {
  const known = new Map<string, Promise<string>>();
  return (folder) => {
    const path = resolve(folder);
    const place = known.get(path) ?? realpath(path).catch(() => path);
    known.set(path, place);
    return place;
  };
}

/** The folder below which the tree of a file is kept. */
function rootOf({ path, relativePath }: InputFile): string {
  return path.slice(0, -relativePath.length);
}

function isBelow(path: string, folder: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

function bearsSuffix({ path }: InputFile, suffix: string): boolean {
  const { name } = parse(path);
  return suffix !== '' && name.length > suffix.length && name.endsWith(suffix);
}

/** The path, without its ending, of the picture that a file with a suffix was made of. */
function pictureOf({ path }: InputFile, suffix: string): string {
  return stemOf(path).slice(0, -suffix.length);
}

function stemOf(path: string): string {
  const { dir, name } = parse(path);
  return join(dir, name);
}
