import { stat } from 'node:fs/promises';
import { basename, parse, join } from 'node:path';
import { NotComparableError } from '../evaluation/errors.ts';
import type { FilePair } from '../evaluation/evaluate-files.ts';
import { UsageError } from './errors.ts';
import type { InputFile } from './inputs/input-files.ts';
import { inputFiles } from './inputs/input-files.ts';
import { RESULT_SUFFIXES } from '../options/methods.ts';

/** Which files belong together, and the references without a candidate. */
export interface FilePairs {
  readonly pairs: readonly FilePair[];
  readonly unpaired: readonly { readonly name: string; readonly error: NotComparableError }[];
}

/**
 * Two files, or the images of two folders by their names below them; where none has the very same name, one whose name differs
 * in nothing but the extension and the suffix of our results. Candidates without a reference are left alone.
 * @throws UsageError for a file and a folder, or where there is nothing
 */
export async function filePairs(reference: string, candidate: string): Promise<FilePairs> {
  const [isFolder, isCandidateFolder] = [await isDirectory(reference), await isDirectory(candidate)];
  if (isFolder !== isCandidateFolder) {
    const [folder, file] = isFolder ? [reference, candidate] : [candidate, reference];
    throw new UsageError(`expected two files or two folders, but ${folder} is a folder and ${file} is not`);
  }
  const [references, candidates] = [await inputFiles([reference]), await inputFiles([candidate])];
  if (!isFolder) return { pairs: [pairOf(only(references, reference), only(candidates, candidate))], unpaired: [] };
  const found = references.map((file) => ({ file, match: matchOf(file, candidates) }));
  return {
    pairs: found.flatMap(({ file, match }) => (match ? [pairOf(file, match)] : [])),
    unpaired: found.flatMap(({ file: { relativePath: name }, match }) =>
      match ? [] : [{ name, error: new NotComparableError(`${name}: no image of this name in ${candidate}`) }],
    ),
  };
}

async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

function only(files: readonly InputFile[], pattern: string): InputFile {
  const [file] = files;
  if (!file || files.length > 1) throw new UsageError(`${pattern}: expected one file, got ${files.length}`);
  return file;
}

function pairOf(reference: InputFile, candidate: InputFile): FilePair {
  return {
    name: reference.relativePath || basename(reference.path),
    reference: reference.path,
    candidate: candidate.path,
  };
}

function matchOf(reference: InputFile, candidates: readonly InputFile[]): InputFile | undefined {
  const same = candidates.find(({ relativePath }) => relativePath === reference.relativePath);
  if (same) return same;
  const stem = stemOf(reference.relativePath);
  for (const names of [[stem], [...RESULT_SUFFIXES].map((suffix) => stem + suffix)]) {
    const alike = candidates.filter(({ relativePath }) => names.includes(stemOf(relativePath)));
    if (alike.length > 0) return alike.length === 1 ? alike[0] : undefined;
  }
  return undefined;
}

function stemOf(path: string): string {
  const { dir, name } = parse(path);
  return join(dir, name);
}
