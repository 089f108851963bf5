import { ByteFile } from './byte-file.ts';
import { CheckpointError, quoted } from './errors.ts';
import { detectFormat } from './file-kind.ts';
import { readPthLegacy } from './pth-legacy.ts';
import { readPthZip } from './pth-zip.ts';
import { readSafetensors } from './safetensors.ts';
import type { Settings } from './settings.ts';
import { settingsBeside, settingsInTexts } from './settings.ts';
import type { CheckpointFormat, Checksum, StateDict, TensorInfo } from './state-dict.ts';
import { DTYPE_BYTES } from './state-dict.ts';
import { besides, findStateDict, noTensors } from './unwrapping/find-state-dict.ts';
import { unwrapNames } from './unwrapping/unwrap-names.ts';
import { elementCount } from './tensor-layout.ts';
import type { PickledCheckpoint } from './pickle/tensors-from-pickle.ts';
import { tensorFromPickle } from './pickle/tensors-from-pickle.ts';

const MAX_TENSORS = 50_000;
/** Views may repeat elements (`expand`, tied weights), but not out of proportion: a stride of 0 costs nothing to write. */
const MAX_EXPANSION = 4;
const EXPANSION_ALLOWANCE_BYTES = 16 << 20;

/**
 * Opens a checkpoint: `.pth` in both layouts, or `.safetensors`, told apart by content. Reads the header, directory or pickle
 * and none of the weights; runs nothing. Every byte range in the result lies in the file.
 * @throws CheckpointError where the file is no checkpoint, is damaged, hostile, or holds what is not read.
 */
export function openCheckpoint(file: string): StateDict {
  try {
    return ByteFile.with(file, (bytes) => {
      const format = detectFormat(bytes);
      const { path, tensors, beside, marks, settings, checksums } = readTensors(bytes, format);
      checkExpansion(tensors, bytes.size);
      const unwrapped = unwrapNames(tensors);
      const leftOut = [...beside, ...unwrapped.leftOut];
      return { file, format, root: path, tensors: unwrapped.tensors, leftOut, marks, settings, checksums };
    });
  } catch (error) {
    throw error instanceof CheckpointError ? error.inFile(file) : error;
  }
}

interface RootedTensors {
  readonly path: readonly string[];
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly marks: ReadonlySet<string>;
  readonly settings: Settings;
  readonly checksums: readonly Checksum[];
  /** What stands beside the state dict. */
  readonly beside: readonly string[];
}

function readTensors(file: ByteFile, format: CheckpointFormat): RootedTensors {
  if (format !== 'safetensors') return tensorsOf(format === 'pth-zip' ? readPthZip(file) : readPthLegacy(file));
  const { tensors, metadata } = readSafetensors(file);
  if (tensors.size === 0) throw noTensors(new Map());
  checkTensorCount(tensors);
  return { path: [], tensors, beside: [], marks: new Set(), settings: settingsInTexts(metadata), checksums: [] };
}

/** The tensors of the state dict; of whatever else stands beside them (counters, settings) the names. */
function tensorsOf({ tree, storages }: PickledCheckpoint): RootedTensors {
  const { path, dict } = findStateDict(tree);
  const tensors = new Map<string, TensorInfo>();
  const marks = new Set<string>();
  for (const [name, value] of dict) {
    if (typeof name !== 'string') continue;
    const tensor = namingTensor(name, () => tensorFromPickle(value, storages));
    if (tensor === undefined) marks.add(name);
    else tensors.set(name, tensor);
    checkTensorCount(tensors);
  }
  if (tensors.size === 0) throw noTensors(dict);
  const settings = settingsBeside(tree, path);
  return { path, tensors, beside: besides(tree, path), marks, settings, checksums: storages.checksums };
}

function namingTensor<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    throw new CheckpointError(error.kind, `tensor ${quoted(name)}: ${error.message}`, { cause: error.cause });
  }
}

function checkTensorCount({ size }: ReadonlyMap<string, TensorInfo>): void {
  if (size > MAX_TENSORS) throw new CheckpointError('too-large', `it has more than ${MAX_TENSORS} tensors`);
}

function checkExpansion(tensors: ReadonlyMap<string, TensorInfo>, fileBytes: number): void {
  const total = [...tensors.values()].reduce(
    (sum, { shape, dtype }) => sum + elementCount(shape) * DTYPE_BYTES[dtype],
    0,
  );
  if (total > MAX_EXPANSION * fileBytes + EXPANSION_ALLOWANCE_BYTES) {
    throw new CheckpointError('too-large', `its tensors would take ${total} bytes, out of a file of ${fileBytes}`);
  }
}
