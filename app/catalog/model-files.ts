import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, sep } from 'node:path';
import { isOnnxName } from '../exported/picture-model.ts';
import { errorCode } from '../files/error-code.ts';

/** What checkpoints are called, the best first where several files of one stem lie in a folder. What a file is its content says. */
export const EXTENSIONS: readonly string[] = ['.safetensors', '.sft', '.pth', '.pt', '.ckpt', '.bin', '.onnx'];
const EXTENSION = new RegExp(`(${EXTENSIONS.map((one) => `\\${one}`).join('|')})$`, 'i');
/** Deeper than anybody sorts his models. */
const DEEPEST = 8;

/** A checkpoint in `MODELS_DIR` or a subfolder. */
export interface ModelFile {
  /** Absolute if the folder was given so. */
  readonly path: string;
  /** Below the folder, with `/`. */
  readonly relativePath: string;
  /** The file name without its extension. */
  readonly stem: string;
  readonly size: number;
  readonly mtimeMs: number;
  /** Changes with whatever is done to the file, also where size and time stay as they were. */
  readonly identity: string;
}

/** `RealESRGAN_x4plus.pth` without `.pth`; names with other dots in them (`gfpgan-1.4`) stay whole. */
export function stemOf(filename: string): string {
  return filename.replace(EXTENSION, '');
}

/**
 * All checkpoints in a folder and its subfolders, links followed: nearer ones first, then by name. Empty for a folder that is
 * not there; what cannot be read is left out.
 */
export async function findModelFiles(directory: string): Promise<readonly ModelFile[]> {
  const found: ModelFile[] = [];
  await collect(directory, { root: directory, found, visited: new Set(), depth: 0, isTaken: isCheckpointName });
  const depth = (file: ModelFile) => file.relativePath.split('/').length;
  const rank = (file: ModelFile) => EXTENSIONS.indexOf(extname(file.path).toLowerCase());
  const byName = (a: ModelFile, b: ModelFile) => (a.relativePath < b.relativePath ? -1 : 1);
  return found.sort((a, b) => depth(a) - depth(b) || rank(a) - rank(b) || byName(a, b));
}

/**
 * The name, below the folder, of a file that is called `name` with an ending that is none of a checkpoint: what somebody may mean
 * who asks for it.
 */
export async function findNamesake(directory: string, name: string): Promise<string | undefined> {
  const found: ModelFile[] = [];
  const isTaken = (filename: string) => !filename.startsWith('.');
  await collect(directory, { root: directory, found, visited: new Set(), depth: 0, isTaken });
  const wanted = name.normalize().toLowerCase();
  const spellings = (file: ModelFile) => [basename(file.path), file.relativePath, file.stem];
  const namesake = found.find((file) => spellings(file).some((one) => one.normalize().toLowerCase() === wanted));
  return namesake?.relativePath;
}

interface Walk {
  /** Whether a file is taken, by its name. */
  readonly isTaken: (filename: string) => boolean;
  readonly root: string;
  readonly found: ModelFile[];
  readonly visited: Set<string>;
  readonly depth: number;
}

async function collect(directory: string, walk: Walk): Promise<void> {
  const real = await readable(realpath(directory));
  if (real === undefined || walk.visited.has(real) || walk.depth > DEEPEST) return;
  walk.visited.add(real);
  for (const name of (await readable(readdir(directory))) ?? []) {
    const path = join(directory, name);
    const found = await readable(stat(path));
    if (found?.isDirectory()) await collect(path, { ...walk, depth: walk.depth + 1 });
    else if (found?.isFile() && walk.isTaken(name)) {
      const relativePath = relative(walk.root, path).split(sep).join('/');
      const stem = basename(name, extname(name));
      const { size, mtimeMs, ctimeMs, dev, ino } = found;
      const beside = isOnnxName(name) ? await filesBesideOnnx(path) : [];
      const identity = [path, dev, ino, size, mtimeMs, ctimeMs, ...beside.flatMap(Object.values<number>)].join(':');
      walk.found.push({ path, relativePath, stem, size, mtimeMs, identity });
    }
  }
}

/** Why a file that has the name of a model is none, and what to do. */
export function notOfAKind(file: string): string {
  return `There is a file '${file}', but only ${EXTENSIONS.join(', ')} are read: rename it if it is one of them.`;
}

/** What is in a folder of models beside them, and holds no weights of an ONNX model. */
const NO_DATA = /^\.|\.(part|json|lock|int8)$/i;

/** Files in the folder of an ONNX model that may have its weights (`model.onnx.data`): what else there is that is no model itself. */
export async function filesBesideOnnx(file: string): Promise<readonly Pick<ModelFile, 'size' | 'mtimeMs'>[]> {
  const folder = dirname(file);
  const names = ((await readable(readdir(folder))) ?? []).filter(
    (name) => !isCheckpointName(name) && !NO_DATA.test(name),
  );
  const found = await Promise.all(names.map((name) => readable(stat(join(folder, name)))));
  return found.flatMap((one) => (one?.isFile() === true ? [{ size: one.size, mtimeMs: one.mtimeMs }] : []));
}

/** Endings in any case; what macOS puts beside a file on foreign disks (`._name`) is no file of anybody's. */
function isCheckpointName(name: string): boolean {
  return !name.startsWith('._') && EXTENSIONS.includes(extname(name).toLowerCase());
}

const NOT_READABLE: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ELOOP', 'ENAMETOOLONG']);

/** Undefined for what is not there, or not ours to read. */
async function readable<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result;
  } catch (error) {
    if (NOT_READABLE.has(errorCode(error) ?? '')) return undefined;
    throw error;
  }
}
